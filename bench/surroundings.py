"""The interpreter and the environment that both benchmarks run in; nothing here needs torch."""
import os, subprocess, sys

BLAS_OPENMP = "/usr/lib/x86_64-linux-gnu/openblas-openmp"


def restart_in_fair_surroundings():
    """The interpreter that has torch; an OpenBLAS that shares torch's threads (Debian's pthread build has a pool of its own, and the two fight);
    a malloc that keeps large blocks, so that torch's results lie in warm memory as ctorch's do."""
    if os.environ.get("CTORCH_BENCH_CHILD"):
        return
    env = dict(os.environ, CTORCH_BENCH_CHILD="1")
    if os.path.isdir(BLAS_OPENMP):
        env["LD_LIBRARY_PATH"] = ":".join(p for p in (BLAS_OPENMP, env.get("LD_LIBRARY_PATH")) if p)
    if "--as-shipped" not in sys.argv:
        env.update(MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_="99999999999", MALLOC_TOP_PAD_="67108864")
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import torch, numpy"], stderr=subprocess.DEVNULL).returncode == 0:
            os.execve(python, [python] + sys.argv, env)
    sys.exit("bench: no python3 with torch and numpy here: apt-get install python3-torch python3-numpy")
