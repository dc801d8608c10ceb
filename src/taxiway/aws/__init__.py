"""AWS: the only importer of boto3 and botocore, inside functions."""
