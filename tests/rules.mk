include $(wildcard tests/*/rules.mk)
