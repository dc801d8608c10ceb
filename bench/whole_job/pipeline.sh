#!/usr/bin/env bash
# The container's job, rebuilt from the description of the tutorial that Taxiway comes from: four calls of the AWS
# CLI, a key scan, a clone, and Flyway three times. What differs is marked; each difference makes it cheaper.
#
# Arguments: the branch; the Java class path with Flyway.
# shellcheck disable=SC2086 # the port is two words
set -euo pipefail # not in the original, which is successful whatever happens: a measurement must not be

github_branch=${1:-main}
class_path=$2

echo "Starting Fargate task to run Flyway migration from ${github_branch} for RDS database ${DB_NAME}"

secret() {
  aws secretsmanager get-secret-value --secret-id "$1" --region "${REGION}" --query SecretString --output text
}

# ssh looks into the home directory of the account and not into HOME, so the files are named.
mkdir -p ~/.ssh
secret "${REPOSITORY_DEPLOY_KEY_SECRET}" > ~/.ssh/id_rsa
chmod 0600 ~/.ssh/id_rsa
ssh-keyscan ${GIT_PORT:+-p ${GIT_PORT}} "${GIT_HOST}" > ~/.ssh/known_hosts
export GIT_SSH_COMMAND="ssh -F /dev/null -i ${HOME}/.ssh/id_rsa -o UserKnownHostsFile=${HOME}/.ssh/known_hosts"

rm -rf ~/clone
git clone --single-branch -b "${github_branch}" "${REPOSITORY_URL}" ~/clone
cd ~/clone

# In the environment and not on the command line, where anybody could read them.
FLYWAY_PASSWORD=$(secret "postgresql@auroradb@master@sqladmin" | jq -r '.password')
FLYWAY_PLACEHOLDERS_READ_ONLY_PASSWORD=$(secret "postgresql@auroradb@master@read_only" | jq -r '.password')
FLYWAY_PLACEHOLDERS_SAMPLE_APPLICATION_PASSWORD=$(
  secret "postgresql@auroradb@sample@sample_application" | jq -r '.password'
)
export FLYWAY_PASSWORD FLYWAY_PLACEHOLDERS_READ_ONLY_PASSWORD FLYWAY_PLACEHOLDERS_SAMPLE_APPLICATION_PASSWORD
export FLYWAY_URL="jdbc:postgresql://${DB_HOST}:${DB_PORT}/${DB_NAME}?sslmode=verify-full&sslrootcert=${DB_SSLROOTCERT}"
export FLYWAY_USER=sqladmin FLYWAY_LOCATIONS=filesystem:sql FLYWAY_PLACEHOLDERS_DATABASE_NAME="${DB_NAME}"

# Flyway's libraries with a main of a few lines: the distributed command line loads more, and starts no faster.
java -cp "${class_path}" Commands info
java -cp "${class_path}" Commands migrate
java -cp "${class_path}" Commands info
