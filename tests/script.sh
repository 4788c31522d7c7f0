#!/usr/bin/env bash
# What GitLab's page "Using GitLab CI/CD with a Bitbucket Cloud repository" has people paste into
# their repository does this. Written from a description of what that script reads and sends, for
# comparison and for benchmarks: its faults are kept, and API_ROOT is the one thing added.

if [ -z "$BITBUCKET_ACCESS_TOKEN" ] || [ -z "$BITBUCKET_USERNAME" ]; then
  echo "BITBUCKET_ACCESS_TOKEN and BITBUCKET_USERNAME must be set"
  exit 1
fi
workspace=${BITBUCKET_NAMESPACE:-$CI_PROJECT_NAMESPACE}
repository=${BITBUCKET_REPOSITORY:-$CI_PROJECT_NAME}

case $BUILD_STATUS in
  running) state=INPROGRESS description="The build is running!" ;;
  passed) state=SUCCESSFUL description="The build passed!" ;;
  failed) state=FAILED description="The build failed." ;;
esac

body="{\"state\": \"$state\", \"key\": \"ci/gitlab-ci/$CI_JOB_NAME\", \"description\": \"$description\", \"url\": \"$CI_PROJECT_URL/-/jobs/$CI_JOB_ID\"}"
# shellcheck disable=SC2086 # one of its faults
curl --silent --request POST --output /dev/null \
  --user $BITBUCKET_USERNAME:$BITBUCKET_ACCESS_TOKEN \
  --header "Content-Type: application/json" --data "$body" \
  ${CA_FILE:+--cacert "$CA_FILE"} \
  "${API_ROOT:-https://api.bitbucket.org/2.0}/repositories/$workspace/$repository/commit/$CI_COMMIT_SHA/statuses/build"
exit 0
