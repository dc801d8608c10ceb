"""A diagnosis as text for people."""

from collections.abc import Iterator

from taxiway.model.doctor import Diagnosis, Finding, Gap


def render_diagnosis(diagnosis: Diagnosis) -> str:
    """Every finding and every gap with its way out, and what that comes to."""
    lines = [*map(_finding, diagnosis.findings), *map(_gap, diagnosis.gaps), *_end(diagnosis)]
    return "\n".join(lines)


def _finding(finding: Finding) -> str:
    return f"{finding.area.value}: {finding.message} ({finding.code})\n  Fix: {finding.fix}"


def _gap(gap: Gap) -> str:
    fix = f"\n  To have it checked: {gap.fix}" if gap.fix else ""
    return f"{gap.area.value}: not checked from here: {gap.what}, because {gap.because.rstrip('.')}.{fix}"


def _end(diagnosis: Diagnosis) -> Iterator[str]:
    areas = ", ".join(area.value for area in diagnosis.checked) or "nothing"
    yield f"Looked at: {areas}."
    missing = f"; not checked: {len(diagnosis.gaps)}" if diagnosis.gaps else ""
    count = len(diagnosis.findings)
    yield f"{'No findings' if not count else f'{count} finding{"" if count == 1 else "s"}'}{missing}."
