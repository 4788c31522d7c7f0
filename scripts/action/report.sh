#!/bin/sh
# action.yml's second step: hands on the inputs, which it has as INPUT_…, as the variables that
# build_status reads, and calls the file that get.sh has got.
#
# An input wins over the workflow's variable, and one left empty does not hide it. `env` in action.yml
# cannot say that: there the input would win, even an empty one.
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
unset INPUT_TOKEN

# Git for Windows' sh would make Windows paths of what looks like a path to it: a description `/x`, a
# workflow called so. https://www.msys2.org/docs/filesystem-paths/
export MSYS2_ARG_CONV_EXCL='*'
export MSYS2_ENV_CONV_EXCL='BUILD_;BITBUCKET_;GITHUB_'

# shellcheck disable=SC2086 # splitting is what is wanted
exec "$ACTION_FILE" $INPUT_ARGUMENTS
