#!/bin/sh
# What action.yml runs in the container, where it is /usr/local/bin/build_status_action: hands on the
# inputs, which the runner gives as INPUT_…, as the variables that build_status reads.
#
# An input wins over the workflow's variable, and one left empty does not hide it. runs.env in
# action.yml cannot say that: on GitHub the workflow's variable would win, even an empty one
# (ContainerActionHandler.cs), and in act, which is Gitea's and Forgejo's runner, the input, even an
# empty one (evalDockerArgs in action.go).
#
# Nothing is evaluated here: a value is assigned as it is, and the arguments are split at white space
# (no -f would expand `*`).
set -a -f
BUILD_STATUS=${INPUT_STATE:-$BUILD_STATUS}
BUILD_STATUS_KEY=${INPUT_KEY:-$BUILD_STATUS_KEY}
BUILD_STATUS_NAME=${INPUT_NAME:-$BUILD_STATUS_NAME}
BUILD_STATUS_DESCRIPTION=${INPUT_DESCRIPTION:-$BUILD_STATUS_DESCRIPTION}
BUILD_STATUS_URL=${INPUT_URL:-$BUILD_STATUS_URL}
BUILD_STATUS_COMMIT=${INPUT_COMMIT:-$BUILD_STATUS_COMMIT}
BUILD_STATUS_REFNAME=${INPUT_REFNAME:-$BUILD_STATUS_REFNAME}
BUILD_STATUS_MATRIX=${INPUT_MATRIX:-$BUILD_STATUS_MATRIX}
BUILD_STATUS_CHECK_RUN_ID=${INPUT_CHECK_RUN_ID:-$BUILD_STATUS_CHECK_RUN_ID}
BITBUCKET_REPOSITORY=${INPUT_REPOSITORY:-$BITBUCKET_REPOSITORY}
BITBUCKET_SERVER_URL=${INPUT_SERVER_URL:-$BITBUCKET_SERVER_URL}
BITBUCKET_ACCESS_TOKEN=${INPUT_TOKEN:-$BITBUCKET_ACCESS_TOKEN}
BITBUCKET_USERNAME=${INPUT_USERNAME:-$BITBUCKET_USERNAME}
# shellcheck disable=SC2086 # splitting is what is wanted
exec build_status $INPUT_ARGUMENTS
