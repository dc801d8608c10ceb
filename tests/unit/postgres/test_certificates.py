"""The authorities that are shipped: AWS's own for RDS, one of each kind for every region."""

import re
from collections import Counter

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from taxiway.postgres.certificates import RDS_CA_BUNDLE

KINDS = ("ECC384", "RSA2048", "RSA4096")
REGIONS = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-central-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
]
# AWS's own try-outs, in the regions where they are.
OTHERS = ("Beta us-east-1", "Preview us-east-2")


@pytest.fixture(scope="module")
def certificates() -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(RDS_CA_BUNDLE.read_bytes())


def attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    [found] = name.get_attributes_for_oid(oid)
    return str(found.value)


def test_every_region_has_one_authority_of_each_kind(certificates: list[x509.Certificate]) -> None:
    expected = {f"Amazon RDS {place} Root CA {kind} G1" for place in (*REGIONS, *OTHERS) for kind in KINDS}
    assert Counter(attribute(one.subject, NameOID.COMMON_NAME) for one in certificates) == Counter(expected)


def test_every_certificate_is_an_authority_of_aws_that_answers_for_itself(
    certificates: list[x509.Certificate],
) -> None:
    for one in certificates:
        assert one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert attribute(one.issuer, NameOID.ORGANIZATION_NAME) == "Amazon Web Services, Inc."
        assert attribute(one.issuer, NameOID.ORGANIZATIONAL_UNIT_NAME) == "Amazon RDS"
        one.verify_directly_issued_by(one)


def test_no_certificate_is_there_twice(certificates: list[x509.Certificate]) -> None:
    assert len(set(certificates)) == len(certificates) == len(KINDS) * (len(REGIONS) + len(OTHERS))


def test_the_file_tells_where_it_is_from_and_how_to_renew_it() -> None:
    header = RDS_CA_BUNDLE.read_text(encoding="ascii").partition("\n\n")[0]
    assert re.search(r"Taken on \d{4}-\d\d-\d\d from \S+,\n# sha256 [0-9a-f]{64}:", header)
    assert "python tools/rds_certificates.py" in header
