# Every folder of tests brings its own targets.
include $(wildcard tests/*/rules.mk)
