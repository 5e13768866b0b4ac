# The start-up cache (LDR_CACHE) and `ldr cache`: changes, attacks, many at once, real programs, shared pages; see run.sh. SCRIPTS="attacks" runs some,
# KILLS=1000 kills that many makers (300 if not given).
.PHONY: test-cache
test-cache: $(LDSO) $(LDR) ## the start-up cache: changes, attacks, concurrency, real programs, shared pages
	@tools/setup.sh build test
	@tests/cache/run.sh $(B) $(SCRIPTS)
