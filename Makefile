# ctorch: one header. Everything here is for its developers and for the curious; to use it, copy ctorch.h.
CC       ?= cc
CXX      ?= c++
CFLAGS   ?= -O2
WARN      = -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion
LIBS      = -lm -lpthread
FASHION   = /usr/share/datasets/fashion-mnist
TESTS     = $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
SAMPLES   = $(patsubst tests/api/%.c,%,$(wildcard tests/api/*.c))

.PHONY: run test samples fashion examples parity bench bench-shapes scaling clean
all: run

# The main job: learns the handwritten digits.
run: build/digits
	./build/digits

# Needs nothing but a C compiler and make.
test: $(TESTS:%=build/%) samples
	@sh tests/run.sh $(TESTS:%=build/%)

samples: $(SAMPLES:%=build/api_%)
	@sh tests/samples.sh $(SAMPLES)

# All of Fashion-MNIST. Its files: Debian's package dataset-fashion-mnist.
fashion: build/fashion
	@test -d $(FASHION) || { echo "fashion: $(FASHION) is missing; install it with: apt-get install dataset-fashion-mnist"; exit 1; }
	@mkdir -p build/fashion-mnist
	@for f in $(FASHION)/*.gz; do gzip -dc $$f > build/fashion-mnist/$$(basename $$f .gz); done
	./build/fashion build/fashion-mnist

# Operator by operator against PyTorch itself. Needs Debian's python3-torch and python3-numpy; says so where they are missing.
# PARITY="-v matmul pow" looks at some operators closely.
parity: build/libctorch.so
	python3 tests/parity.py $(PARITY)

examples: build/digits build/fashion build/dynamic_depth build/names_rnn

# Row by row against PyTorch, and for products OpenBLAS and BLIS (Debian: python3-torch libopenblas0-openmp libblis4-openmp).
# BENCHFLAGS="--quick", "--threads 1", "matmul conv": see bench/NOTES.md.
bench: build/bench/rows build/bench/first build/bench/mlp_stripped
	python3 bench/bench.py $(BENCHFLAGS)

# The same for several hundred rows of other shapes, types and operators.
bench-shapes: build/bench/shapes
	python3 bench/bench.py --shapes --threads 1 $(BENCHFLAGS)

# Cost against size, memory against depth, time per node against the graph's length.
scaling: build/bench/rows
	python3 bench/scaling.py

build/ctorch.o: ctorch.h | build
	printf '#define CTORCH_IMPLEMENTATION\n#include "ctorch.h"\n' > build/ctorch.c
	$(CC) $(CFLAGS) $(WARN) -I. -c build/ctorch.c -o $@

build/libctorch.so: ctorch.h | build
	printf '#define CTORCH_IMPLEMENTATION\n#include "ctorch.h"\n' > build/libctorch.c
	$(CC) $(CFLAGS) -std=c11 -shared -fPIC -I. build/libctorch.c -o $@ $(LIBS)

# most tests see the declarations alone; those that look inside contain the implementation
build/test_ulp: tests/test_ulp.c tests/test.h ctorch.h | build
	$(CC) -O1 $(WARN) -Wno-unused-function -I. $< -o $@ $(LIBS)
build/test_functional build/test_optim: build/test_%: tests/test_%.c tests/test.h ctorch.h | build
	$(CC) -O0 $(WARN) -Wno-unused-function -I. $< -o $@ $(LIBS)
build/test_%: tests/test_%.c tests/test.h build/ctorch.o
	$(CC) -O1 $(WARN) -I. $< build/ctorch.o -o $@ $(LIBS)

# the samples contain the implementation, as a user's single file does
build/api_%: tests/api/%.c ctorch.h | build
	$(CC) -O0 $(WARN) -I. $< -o $@ $(LIBS)

build/bench/shapes: bench/shapes.py bench/rows.c ctorch.h | build/bench
	python3 bench/shapes.py > build/bench/shapes.h
	$(CC) $(CFLAGS) -DSHAPES_FILE='"shapes.h"' -I. -Ibuild/bench bench/rows.c -o $@ $(LIBS)
build/bench/rows: bench/rows.c ctorch.h | build/bench
	$(CC) $(CFLAGS) -I. $< -o $@ $(LIBS)
build/bench/first: ctorch.h | build/bench
	printf '#define CTORCH_IMPLEMENTATION\n#include "ctorch.h"\n#include <stdio.h>\nint main(void) { printf("%%g\\n", ct_item(ct_sum(ct_matmul(ct_randn(4, 4), ct_randn(4, 4))))); return 0; }\n' > build/bench/first.c
	$(CC) $(CFLAGS) -I. build/bench/first.c -o $@ $(LIBS)
build/bench/mlp_stripped: examples/digits.c ctorch.h | build/bench
	$(CC) $(CFLAGS) -s -I. $< -o $@ $(LIBS)

# so do the examples
build/%: examples/%.c ctorch.h | build
	$(CC) $(CFLAGS) $(WARN) -I. $< -o $@ $(LIBS)

build build/bench:
	mkdir -p $@

clean:
	rm -rf build
