# Version, commit and date of this build. A release build is given all three; anything else says
# 0.0.0-dev, unknown, unknown, so that an unlabelled binary can never be mistaken for a release.
set(PLEXSPHERE_BUILD_VERSION "0.0.0-dev" CACHE STRING "Semantic version shown by --version")
set(PLEXSPHERE_BUILD_COMMIT "unknown" CACHE STRING "Commit id shown by --version")
set(PLEXSPHERE_BUILD_DATE "unknown" CACHE STRING "RFC 3339 build date shown by --version")
