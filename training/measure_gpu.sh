#!/usr/bin/env bash
# Every measurement of Tables 1-3 and of the engines that needs a GPU, in pieces that resume one another.
#
#   DATA=path [OUT=results] [DEVICE=cuda] [LIMIT=540] [KEEP=path] [TINY=1] training/measure_gpu.sh LIST|next|PIECE...
#
#   LIST   the pieces, in order, and which are done
#   next   the pieces that are not done yet, in order, as many as LIMIT seconds hold
#   PIECE  these, done or not; what is finished in them is not done again
#
#   DATA   CIFAR-10: its folder or archive, the JPEG copy among them
#   OUT    where results go, runs and their checkpoints too: the same folder in every call
#   LIMIT  seconds of a whole call; what is under way then is told to save itself and goes on in the next call
#   KEEP   a folder that gets measured.tar.gz at the end of every call: everything in OUT but the runs. Unpacked into
#          an empty OUT it goes on from there; what was under way begins anew
#   TINY   rehearses every piece with settings a CPU does in minutes; training pieces then run on digits
#   PYTHON the interpreter (default: python3); CLAIM_SEEDS seeds of the claim (default: 3)
#
# Exit status: 0 all asked pieces done; 1 a piece failed; 2 bad input; 75 time is over, call again.
set -u -o pipefail

# Names that begin where the caller stands; the default of OUT is the repository's.
absolute() { case $1 in "" | /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac }
DATA=$(absolute "${DATA:-}")
OUT=$(absolute "${OUT:-}")
KEEP=$(absolute "${KEEP:-}")
cd "$(dirname "$0")/.." || exit 2
OUT=${OUT:-$PWD/results}
DEVICE=${DEVICE:-cuda}
LIMIT=${LIMIT:-540}
TINY=${TINY:-}
PYTHON=${PYTHON:-python3}
CLAIM_SEEDS=${CLAIM_SEEDS:-3}

PIECES="data bench-rn18-at bench-rn18-awp bench-wrn-at parity-at parity-awp parity-trades golden autoattack"
PIECES="$PIECES accuracy-at accuracy-ensgd records claim"
GRACE=25    # seconds a run has to save itself
LEAST=20    # with fewer left nothing is begun that can be continued,
WHOLE=150   # nor with fewer than these what cannot
DEADLINE=$(($(date +%s) + LIMIT - GRACE))

describe() {
  case $1 in
    data) echo "CIFAR-10 decoded and kept, packages and device there" ;;
    bench-rn18-at) echo "both engines on cifar10-rn18-at, PGD-20 on all test images" ;;
    bench-rn18-awp) echo "both engines on cifar10-rn18-awp" ;;
    bench-wrn-at) echo "both engines on cifar10-wrn-at" ;;
    parity-at) echo "50 steps of fast beside reference: AT with SGD, EntropySGD, order 2" ;;
    parity-awp) echo "the same for AWP" ;;
    parity-trades) echo "the same for TRADES with SGD and EntropySGD, on WideResNet" ;;
    golden) echo "cifar10-rn18-at+code for 10 epochs beside the public log" ;;
    autoattack) echo "AutoAttack on the net of golden, stage by stage" ;;
    accuracy-at) echo "3 seeds x 5 epochs of AT under both engines" ;;
    accuracy-ensgd) echo "the same of AT+EntropySGD" ;;
    records) echo "cifar10-rn18-at and -at-ensgd for 10 epochs, with records" ;;
    claim) echo "does EntropySGD accelerate training: all readings, 15 epochs, $CLAIM_SEEDS seeds" ;;
    *) return 1 ;;
  esac
}

# Of each piece the settings: of the real thing, or of the rehearsal.
if [ -z "$TINY" ]; then
  AT=cifar10-rn18-at ENSGD=cifar10-rn18-at-ensgd GOLDEN=cifar10-rn18-at+code
  AWP=cifar10-rn18-awp WRN=cifar10-wrn-at STEM=cifar10-rn18
  BENCH_AT="--evaluation" BENCH_AWP="--examples 1000" BENCH_WRN="--steps 25 --examples 1000" ATTACK="" STEPS=50
  GOLDEN_EPOCHS=10
  SEEDS=3 EPOCHS=5 RECORD_EPOCHS=10 CLAIM="--epochs 15"
  PARITY_AT="cifar10-rn18-at cifar10-rn18-at-ensgd cifar10-rn18-at-2ndensgd"
  PARITY_AWP="cifar10-rn18-awp cifar10-rn18-awp-ensgd cifar10-rn18-awp-2ndensgd"
  PARITY_TRADES="cifar10-wrn-trades cifar10-wrn-trades-ensgd"
else
  AT=compact-at ENSGD=compact-at-ensgd GOLDEN=compact-at+code AWP=compact-awp WRN=compact-at STEM=compact
  BENCH_AT="--batch 2 --steps 5 --examples 2" BENCH_AWP="--steps 5 --examples 20" BENCH_WRN=$BENCH_AWP
  ATTACK="--examples 20" STEPS=2 WHOLE=$LEAST
  GOLDEN_EPOCHS=10 SEEDS=2 EPOCHS=1 RECORD_EPOCHS=2 CLAIM="--epochs 4 --evaluate-every 1"
  CLAIM_SEEDS=2
  PARITY_AT="compact-at compact-at-ensgd compact-at-2ndensgd"
  PARITY_AWP="compact-awp compact-awp-ensgd compact-awp-2ndensgd"
  # The small net has no TRADES recipe; this rehearses the command.
  PARITY_TRADES="compact-at+code"
fi

main() {
  [ $# -gt 0 ] || fail "name pieces, or LIST, or next: $PIECES"
  if [ "$1" = LIST ]; then
    for piece in $PIECES; do
      state=-
      is_done "$piece" && state="done"
      printf '%-16s %-5s %s\n' "$piece" "$state" "$(describe "$piece")"
    done
    return 0
  fi
  asked=$*
  if [ "$1" = next ]; then
    asked=""
    for piece in $PIECES; do is_done "$piece" || asked="$asked $piece"; done
    [ -n "$asked" ] || echo "measure_gpu: every piece is done"
  fi
  for piece in $asked; do
    describe "$piece" > /dev/null || fail "piece '$piece' is unknown: $PIECES"
  done
  [ -z "$asked" ] || prepare
  for piece in $asked; do run_piece "$piece" || return $?; done
}

run_piece() {
  echo "measure_gpu: $1, $(describe "$1")"
  "piece_${1//-/_}" 2>&1 | tee -a "$LOGS/$1.log"
  status=${PIPESTATUS[0]}
  case $status in
    0) date -u +%Y-%m-%dT%H:%M:%SZ > "$LOGS/$1.done" ;;
    75) echo "measure_gpu: time is over in $1; the same command goes on from here" ;;
    *) echo "measure_gpu: $1 failed with status $status, see $LOGS/$1.log" >&2 ;;
  esac
  return "$status"
}

piece_data() {
  [ -n "$DATA" ] || fail "set DATA to the folder or archive of CIFAR-10"
  step "$LEAST" "$PYTHON" -c "
import sys, torch
from training.data import load
from training.device import Computing
Computing.of(sys.argv[2]).prepare()
data = load('cifar10', sys.argv[1])
print(data.label, len(data.train_images), len(data.test_images), 'torch', torch.__version__, sys.argv[2])
" "$DATA" "$DEVICE"
}

# shellcheck disable=SC2086  # settings are lists of words
piece_bench_rn18_at() { bench --recipe cifar10-rn18-at $BENCH_AT; }
# shellcheck disable=SC2086
piece_bench_rn18_awp() { bench --recipe $AWP $BENCH_AWP; }
# shellcheck disable=SC2086
piece_bench_wrn_at() { bench --recipe $WRN $BENCH_WRN; }

piece_parity_at() { parity "$PARITY_AT"; }
piece_parity_awp() { parity "$PARITY_AWP"; }
piece_parity_trades() { parity "$PARITY_TRADES"; }

piece_golden() {
  train --recipe "$GOLDEN" --epochs "$GOLDEN_EPOCHS" --out "$OUT" || return $?
  # In a rehearsal there is nothing to compare, and it says so.
  verdict golden "$LEAST" "$PYTHON" -m training.golden_curve --records "$OUT"
}

# shellcheck disable=SC2086
piece_autoattack() {
  for trained in "$OUT"{,/again}/runs/"$GOLDEN"/seed0*/trained.pt; do [ -e "$trained" ] && break; done
  if [ ! -e "$trained" ]; then
    # The net of golden stayed on another machine, or that piece was not run yet.
    train --recipe "$GOLDEN" --epochs "$GOLDEN_EPOCHS" --out "$OUT/again" || return $?
    for trained in "$OUT/again/runs/$GOLDEN"/seed0*/trained.pt; do [ -e "$trained" ] && break; done
  fi
  bench --recipe "$GOLDEN" --autoattack "$trained" $ATTACK
}

piece_accuracy_at() { accuracy "$AT"; }
piece_accuracy_ensgd() { accuracy "$ENSGD"; }

piece_records() {
  for name in $AT $ENSGD; do
    train --recipe "$name" --epochs "$RECORD_EPOCHS" --out "$OUT" || return $?
  done
}

# shellcheck disable=SC2086
piece_claim() {
  # A reading whose runs fail is an answer too.
  verdict claim "$LEAST" "$PYTHON" -m training.claim --stem "$STEM" --seeds "$CLAIM_SEEDS" $CLAIM --device "$DEVICE" \
    ${DATA:+--data-dir "$DATA"} --out "$OUT"
}

bench() {
  need=$WHOLE
  case $* in *--autoattack*) need=$LEAST ;; esac
  step "$need" "$PYTHON" -m training.bench "$@" --device "$DEVICE" ${DATA:+--data-dir "$DATA"} --out "$OUT"
}

train() {
  step "$LEAST" "$PYTHON" training/run.py "$@" --autoattack none --device "$DEVICE" ${DATA:+--data-dir "$DATA"}
}

# Each recipe once: a line in parity.jsonl on this device with as many steps says that it was made.
parity() {
  for name in $1; do
    if ! grep -qs "\"recipe\": \"$name\".*\"steps\": $STEPS,.*\"device\": \"${DEVICE%%:*}\"" "$OUT/parity.jsonl"; then
      verdict "parity $name" "$WHOLE" "$PYTHON" -m training.parity --recipe "$name" --steps "$STEPS" --device "$DEVICE" \
        ${DATA:+--data-dir "$DATA"} --out "$OUT" || return $?
    fi
  done
}

# Two folders: a run's own folder belongs to one engine.
accuracy() {
  for engine in fast reference; do
    train --recipe "$1" --seeds "$SEEDS" --epochs "$EPOCHS" --evaluate-every "$EPOCHS" --engine "$engine" \
      --out "$OUT/engine-$engine" || return $?
  done
  verdict "accuracy $1" "$LEAST" "$PYTHON" -m training.engine_accuracy --recipe "$1" --epochs "$EPOCHS" --seeds "$SEEDS" \
    --fast "$OUT/engine-fast" --reference "$OUT/engine-reference"
}

# A command within the time that is left, if that is at least so many seconds: its status, or 75 where the time was over
# and it saved itself.
step() {
  left=$((DEADLINE - $(date +%s)))
  [ "$left" -ge "$1" ] || return 75
  shift
  timeout --signal=TERM --kill-after="$GRACE" "$left" "$@"
  status=$?
  case $status in 124 | 137 | 143) return 75 ;; *) return "$status" ;; esac
}

# A command whose status 1 is an answer: it is written down, and the piece is done.
verdict() {
  what=$1
  shift
  step "$@"
  status=$?
  case $status in
    0) echo "$what: holds" >> "$LOGS/verdicts.txt" ;;
    1) echo "$what: does not hold, or is missing; see the log" >> "$LOGS/verdicts.txt" ;;
    *) return "$status" ;;
  esac
}

prepare() {
  LOGS=$OUT/measured
  mkdir -p "$LOGS" || fail "OUT=$OUT cannot be written to"
  [ -z "$DATA" ] || [ -e "$DATA" ] || fail "DATA=$DATA is not there"
  "$PYTHON" -c 'import torch, numpy, scipy.io, sklearn, PIL, pyautoattack' 2> "$LOGS/packages.log" \
    || fail "$PYTHON lacks a package ($(tail -n 1 "$LOGS/packages.log")): put a folder that holds it on PYTHONPATH"
  trap keep EXIT
}

keep() {
  [ -n "$KEEP" ] || return 0
  mkdir -p "$KEEP" && tar -C "$OUT" --exclude=runs --exclude=figures -czf "$KEEP/measured.tar.gz.part" . \
    && mv "$KEEP/measured.tar.gz.part" "$KEEP/measured.tar.gz"
}

is_done() { [ -e "${OUT}/measured/$1.done" ]; }

fail() {
  echo "measure_gpu: $1" >&2
  exit 2
}

main "$@"
