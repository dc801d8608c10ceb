"""CloudFormation: what a deployed stack tells of itself."""

from typing import TYPE_CHECKING, final

from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsNotFound

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient


@final
class CloudFormation:
    """The calls of CloudFormation that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        self._client: CloudFormationClient = client("cloudformation", place)

    def get_outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a stack, by key.

        Raises:
            AwsNotFound: There is no such stack.
            AwsError: AWS refused or could not be asked.
        """
        # "ValidationError: Stack with id … does not exist" is how DescribeStacks says that there is none.
        missing = {"ValidationError": lambda _: self._missing(stack)}
        with translating("cloudformation:DescribeStacks", stack, missing):
            stacks = self._client.describe_stacks(StackName=stack)["Stacks"]
        outputs = stacks[0].get("Outputs", ()) if stacks else ()
        return {
            one["OutputKey"]: one["OutputValue"] for one in outputs if "OutputKey" in one and "OutputValue" in one
        }

    def _missing(self, stack: str) -> AwsNotFound:
        region = self._client.meta.region_name
        return AwsNotFound(
            f"There is no stack '{stack}' in region {region}.",
            kind="stack",
            name=stack,
            hint="Check the name, the region and the account, or name cluster, task definition and subnets.",
        )
