# build_status with a shell: as a GitLab job's image, in CodeBuild, as a step on GitHub, or as a place to
# copy the file from. scripts/image.sh builds it; dist/ is filled by scripts/static.sh.

# musl: its sh and grep are static too. The digest is that of the index of all architectures.
ARG BASE=docker.io/library/busybox:1.37.0-musl@sha256:fc6dddc4c44b1bfe37f41cae8e67d1693828e8f42a91862816d7953e2c9d3f23
FROM ${BASE}

ARG TARGETARCH
ARG VERSION
ARG REVISION

LABEL org.opencontainers.image.title="build_status" \
      org.opencontainers.image.description="Tell Bitbucket how a CI job went" \
      org.opencontainers.image.source="https://github.com/_OWNER/build_status" \
      org.opencontainers.image.documentation="https://github.com/_OWNER/build_status#readme" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY LICENSE-MIT LICENSE-APACHE licenses/THIRD-PARTY.txt /usr/share/licenses/build_status/
COPY --chmod=0755 dist/${TARGETARCH}/build_status /usr/local/bin/build_status

# No ENTRYPOINT: GitLab and CodeBuild start a shell here, and would start it through ours.
CMD ["build_status"]
