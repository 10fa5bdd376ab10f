"""Which certificate is enough for which document."""

from __future__ import annotations

from medsign.ca.models import CertificateKind
from medsign.status import Labelled


class Purpose(Labelled):
    """What is signed with a certificate, in the words of the source (F011-F015, F032-F043).

    Example:
        >>> Purpose.MEMO.certificate.value, Purpose.SICK_LEAVE.certificate.value
        ('unqualified', 'qualified')
        >>> Purpose.SICK_LEAVE.is_served_by(CertificateKind.UNQUALIFIED)
        False
    """

    MEDICAL_DOCUMENT = "medical_document", "подписание электронных медицинских документов"
    SICK_LEAVE = "sick_leave", "электронные листы нетрудоспособности"
    STATE_REPORT = (
        "state_report",
        "подача электронных отчетов и заявлений в государственные органы (ЕГИСЗ/РЭМД)",
    )
    TELEMEDICINE = (
        "telemedicine",
        "телемедицина: подтверждение личности врача и юридическая значимость",
    )
    EXCHANGE = (
        "exchange",
        (
            "обмен медицинскими документами в электронном виде "
            "с другими клиниками и страховыми компаниями"
        ),
    )
    MIS_ACCESS = "mis_access", "доступ и авторизация в медицинских информационных системах"
    INTERNAL_SYSTEM = (
        "internal_system",
        "работа во внутренних корпоративных информационных системах",
    )
    INTERNAL_ORDER = "internal_order", "внутренние приказы и распоряжения"
    MEMO = "memo", "служебные записки"
    INTERNAL_REPORT = "internal_report", "внутренние отчёты и согласования"
    EMPLOYMENT = "employment", "приём, перевод, увольнение сотрудников"
    LEAVE = "leave", "отпуска и графики работы"
    BUSINESS_TRIP = "business_trip", "приказы и командировки"
    ADVANCE_REPORT = "advance_report", "авансовые отчёты"
    LOCAL_ACT = "local_act", "локально-нормативные акты и инструкции"
    PAYSLIP = "payslip", "расчётные листки"
    CONSENT = "consent", "соглашения на обработку ПДн"

    @property
    def certificate(self) -> CertificateKind:
        """The least that serves: УНЭП inside the clinic, УКЭП outside (F044)."""
        return CertificateKind.QUALIFIED if self in _OUTSIDE else CertificateKind.UNQUALIFIED

    def is_served_by(self, certificate: CertificateKind) -> bool:
        """Tell whether a certificate of this kind is enough; for УКЭП it always is."""
        return certificate in {self.certificate, CertificateKind.QUALIFIED}


_OUTSIDE = frozenset(
    {
        Purpose.MEDICAL_DOCUMENT,
        Purpose.SICK_LEAVE,
        Purpose.STATE_REPORT,
        Purpose.TELEMEDICINE,
        Purpose.EXCHANGE,
    }
)
