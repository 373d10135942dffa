"""Seven thousand customers of a telephone company, of whom eleven have no `TotalCharges`.

IBM's sample where the shared data lies beside the checkout; else a file with the same headings and
the same traits, made up.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REAL = ROOT.parent / "shared" / "data" / "telco" / "telco_customer_churn.csv"
ROWS, BLANK = 7_043, 11
HEADINGS = (
    "customerID",
    "gender",
    "SeniorCitizen",
    "Partner",
    "Dependents",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
    "OnlineSecurity",
    "OnlineBackup",
    "DeviceProtection",
    "TechSupport",
    "StreamingTV",
    "StreamingMovies",
    "Contract",
    "PaperlessBilling",
    "PaymentMethod",
    "MonthlyCharges",
    "TotalCharges",
    "Churn",
)
CHOICES = {
    "gender": ("Female", "Male"),
    "SeniorCitizen": ("0", "1"),
    "InternetService": ("DSL", "Fiber optic", "No"),
    "MultipleLines": ("Yes", "No", "No phone service"),
    "Contract": ("Month-to-month", "One year", "Two year"),
    "PaymentMethod": ("Electronic check", "Mailed check", "Credit card (automatic)"),
}


def file(directory: Path) -> Path:
    """The customers as CSV."""
    return REAL if REAL.exists() else made_up(directory / "telco.csv")


def made_up(target: Path) -> Path:
    """A file with the same traits, the same every time."""
    chance = random.Random(360)
    blank = set(chance.sample(range(ROWS), BLANK))
    with target.open("w", newline="", encoding="utf-8") as text:
        write = csv.writer(text)
        write.writerow(HEADINGS)
        write.writerows(_row(chance, number, number in blank) for number in range(ROWS))
    return target


def _row(chance: random.Random, number: int, blank: bool) -> list[str]:
    months = 0 if blank else chance.randint(1, 72)
    charge = chance.randint(1_825, 11_875) / 100
    cells = {name: chance.choice(CHOICES.get(name, ("Yes", "No"))) for name in HEADINGS}
    letters = "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=5))
    cells |= {
        "customerID": f"{number:04}-{letters}",
        "tenure": str(months),
        "MonthlyCharges": str(charge),
        "TotalCharges": " " if blank else str(round(charge * months, 2)),
    }
    return list(cells.values())
