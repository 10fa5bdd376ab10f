from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import UsageError
from medsign.watch import THRESHOLDS, Level, Watched, expiring

END = datetime(2026, 12, 31, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)


def certificate(until=END, **more):
    return Watched(kind="certificate", id="ab12", valid_until=until, **more)


@pytest.mark.req("F180")
@pytest.mark.parametrize(
    "left, threshold, level",
    [
        (30 * DAY, 30, Level.SOON),
        (14 * DAY + MOMENT, 30, Level.SOON),
        (14 * DAY, 14, Level.SOON),
        (7 * DAY, 7, Level.SOON),
        (DAY + MOMENT, 7, Level.SOON),
        (DAY, 1, Level.URGENT),
        (0 * DAY, 1, Level.URGENT),
        (-MOMENT, 0, Level.EXPIRED),
        (-400 * DAY, 0, Level.EXPIRED),
    ],
)
def test_the_smallest_passed_threshold_is_reported(left, threshold, level):
    (found,) = expiring([certificate()], END - left)
    assert (found.threshold.days, found.level) == (threshold, level)


def test_what_ends_later_than_the_largest_threshold_is_left_out():
    assert expiring([certificate()], END - 30 * DAY - MOMENT) == []


@pytest.mark.req("F106")
def test_certificates_and_powers_of_attorney_are_listed_soonest_first():
    permit = Watched.power_of_attorney("0dae", date(2026, 12, 30))
    found = expiring([certificate(), permit], END - 5 * DAY)
    assert [expiry.watched for expiry in found] == [permit, certificate()]


def test_a_power_of_attorney_is_valid_to_the_end_of_its_last_moscow_day():
    permit = Watched.power_of_attorney("0dae", date(2026, 12, 31))
    last = datetime(2026, 12, 31, 20, 59, 59, 999999, tzinfo=UTC)
    assert expiring([permit], last)[0].level is Level.URGENT
    assert expiring([permit], last + MOMENT)[0].level is Level.EXPIRED


def test_the_end_of_the_private_key_counts_when_it_comes_first():
    limited = certificate(key_until=END - 90 * DAY)
    (found,) = expiring([limited], END - 95 * DAY)
    assert limited.key_ends_first
    assert found.threshold == 7 * DAY


def test_a_key_that_outlives_its_certificate_changes_nothing():
    lasting = certificate(key_until=END + DAY)
    assert not lasting.key_ends_first
    assert lasting.ends_at == END


def test_days_are_counted_in_moscow():
    permit = Watched.power_of_attorney("0dae", date(2026, 12, 31))
    assert expiring([permit], datetime(2026, 12, 29, 20, 59, tzinfo=UTC))[0].days_left == 2
    assert expiring([permit], datetime(2026, 12, 29, 21, tzinfo=UTC))[0].days_left == 1


@pytest.mark.parametrize("thresholds", [[], [timedelta(0)], [DAY, -DAY]])
def test_thresholds_without_sense_are_refused(thresholds):
    with pytest.raises(UsageError):
        expiring([certificate()], END, thresholds)


def test_a_naive_date_is_refused():
    with pytest.raises(UsageError):
        certificate(END.replace(tzinfo=None))


def test_a_label_stays_out_of_the_repr():
    assert "Тестова" not in repr(certificate(label="Тестова Анна Петровна"))


@given(st.timedeltas(-100 * DAY, 100 * DAY), st.timedeltas(timedelta(0), 100 * DAY))
def test_as_time_passes_a_threshold_never_grows(offset, later):
    before = expiring([certificate()], END + offset)
    after = expiring([certificate()], END + offset + later)
    assert not before or after[0].threshold <= before[0].threshold


@given(st.permutations(THRESHOLDS), st.timedeltas(-40 * DAY, 40 * DAY))
def test_the_order_of_thresholds_does_not_matter(thresholds, offset):
    items = [certificate()]
    assert expiring(items, END + offset, thresholds) == expiring(items, END + offset)
