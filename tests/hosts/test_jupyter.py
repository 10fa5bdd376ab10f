"""A notebook: its loop runs already, the blocking window works in it and `await` does as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hosts.conftest import PRELUDE

nbformat = pytest.importorskip("nbformat", reason="needs nbclient of the group `test`")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient of the group `test`")
pytest.importorskip("ipykernel", reason="needs ipykernel of the group `test`")

CELLS = (
    PRELUDE,
    "import asyncio\nassert asyncio.get_running_loop().is_running()",
    "window = MedSign(CONFIG)\nrow = send(window, 'notebook')",
    "[each.status for each in window.sep.documents(package='pnotebook')]",
    """
async with AsyncMedSign(CONFIG) as other:
    one = package("notebook")
    again = await other.sep.send(one, one.documents[0])
    rows = [each.number async for each in other.sep.documents(package="pnotebook")]
assert rows == [row.number] == [again.number]
""",
    "window.close()\nrow.status",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_notebook_uses_both_colours(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = nbclient.NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        for output in cell.outputs
        if output["output_type"] == "execute_result"
    ]
    assert shown == ["['Создан']", "'Создан'"]
