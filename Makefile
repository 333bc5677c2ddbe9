# ctorch: one header. Everything here is for its developers and for the curious; to use it, copy ctorch.h.
CC       ?= cc
CXX      ?= c++
CFLAGS   ?= -O2
WARN      = -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion
LIBS      = -lm -lpthread
FASHION   = /usr/share/datasets/fashion-mnist
TESTS     = $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
SAMPLES   = $(patsubst tests/api/%.c,%,$(wildcard tests/api/*.c))

.PHONY: run test samples fashion examples bench clean
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

examples: build/digits build/fashion build/dynamic_depth build/names_rnn

bench: build/overhead
	./build/overhead

build/ctorch.o: ctorch.h | build
	printf '#define CTORCH_IMPLEMENTATION\n#include "ctorch.h"\n' > build/ctorch.c
	$(CC) $(CFLAGS) $(WARN) -I. -c build/ctorch.c -o $@

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

build/overhead: bench/overhead.c build/ctorch.o
	$(CC) $(CFLAGS) $(WARN) -I. $< build/ctorch.o -o $@ $(LIBS)

# so do the examples
build/%: examples/%.c ctorch.h | build
	$(CC) $(CFLAGS) $(WARN) -I. $< -o $@ $(LIBS)

build:
	mkdir -p build

clean:
	rm -rf build
