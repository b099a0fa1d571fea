# Aliases of ./dev for those whose fingers type make. Options go to ./dev itself.
.PHONY: run demo test check fix watch bench build lock setup help clean

run demo test check fix watch bench build lock setup help:
	@./dev $@

clean:
	rm -rf .venv frontend/node_modules app/web dist
