"""Certificate authorities that Taxiway ships: those that sign the certificates of Amazon RDS and Amazon Aurora.

Shipped, because no system trusts them by itself. They are public data of AWS; ``tools/rds_certificates.py``
renews the file.
"""

from pathlib import Path
from typing import Final

RDS_CA_BUNDLE: Final = Path(__file__).with_name("rds-ca-bundle.pem")
