"""A diagnosis as JSON: a shape of our own."""

from typing import Any

from taxiway.model.doctor import Diagnosis


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """``ready`` when nothing is known to be wrong; ``complete`` when there was nothing that could not be seen."""
    return {
        "operation": "doctor",
        "ready": diagnosis.is_ready,
        "complete": not diagnosis.gaps,
        "checked": [area.value for area in diagnosis.checked],
        "findings": [
            {"area": one.area.value, "code": one.code, "message": one.message, "fix": one.fix}
            for one in diagnosis.findings
        ],
        "notChecked": [
            {
                "area": one.area.value,
                "what": one.what,
                "because": one.because,
                "action": one.action,
                "fix": one.fix or None,
            }
            for one in diagnosis.gaps
        ],
    }
