#!/usr/bin/env bash
# Every measurement of Tables 1-3 and of the engines that needs a GPU, in pieces that resume one another.
#
#   DATA=path [OUT=results] [DEVICE=cuda] [LIMIT=540] [KEEP=path] [TINY=1] training/studies/measure_gpu.sh LIST|next|PIECE...
#
#   LIST   the pieces, in order, and which are done
#   next   the pieces that are not done yet, in order, as many as LIMIT seconds hold; one that fails holds up none
#   PIECE  these, done or not; what is finished in them is not done again
#
#   DATA   CIFAR-10: its folder or archive, the JPEG copy among them
#   OUT    where results go, runs and their checkpoints too: the same folder in every call
#   LIMIT  seconds of a whole call; what is under way then is told to save itself and goes on in the next call
#   KEEP   a folder that gets measured.tar.gz at the end of every call: everything in OUT but the nets. Unpacked into
#          an empty OUT it goes on from there; what was under way begins anew, as does what needs the net of a run
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
cd "$(dirname "$0")/../.." || exit 2
OUT=${OUT:-$PWD/results}
DEVICE=${DEVICE:-cuda}
LIMIT=${LIMIT:-540}
TINY=${TINY:-}
PYTHON=${PYTHON:-python3}
CLAIM_SEEDS=${CLAIM_SEEDS:-3}

PIECES="data bench-rn18-at bench-rn18-awp bench-wrn-at parity-at parity-awp parity-float32 parity-trades golden"
PIECES="$PIECES autoattack accuracy-at accuracy-ensgd records claim"
GRACE=25    # seconds a run has to save itself
LEAST=20    # with fewer left nothing is begun that can be continued,
WHOLE=150   # nor with fewer than these what cannot
SMALL=64    # MiB of compiled kernels that are still kept

describe() {
  case $1 in
    data) echo "CIFAR-10 decoded and kept, packages and device there" ;;
    bench-rn18-at) echo "both engines on cifar10-rn18-at, PGD-20 on all test images" ;;
    bench-rn18-awp) echo "both engines on cifar10-rn18-awp" ;;
    bench-wrn-at) echo "both engines on cifar10-wrn-at" ;;
    parity-at) echo "50 steps of fast beside reference: AT with SGD, EntropySGD, order 2" ;;
    parity-awp) echo "the same for AWP" ;;
    parity-float32) echo "AT and AWP with SGD once more, the fast engine in float32: the sharper test" ;;
    parity-trades) echo "as parity-at for TRADES with SGD, EntropySGD, order 2, on WideResNet" ;;
    golden) echo "cifar10-rn18-at+code for 10 epochs beside the public log" ;;
    autoattack) echo "AutoAttack on the net of golden, stage by stage" ;;
    accuracy-at) echo "3 seeds x 5 epochs of AT under both engines" ;;
    accuracy-ensgd) echo "the same of AT+EntropySGD" ;;
    records) echo "cifar10-rn18-at and -at-ensgd for 10 epochs, with records" ;;
    claim) echo "does EntropySGD accelerate training: all readings, 15 epochs, $CLAIM_SEEDS seeds; its figure" ;;
    *) return 1 ;;
  esac
}

# Of each piece the settings: of the real thing, or of the rehearsal.
if [ -z "$TINY" ]; then
  AT=cifar10-rn18-at ENSGD=cifar10-rn18-at-ensgd GOLDEN=cifar10-rn18-at+code
  AWP=cifar10-rn18-awp WRN=cifar10-wrn-at STEM=cifar10-rn18
  BENCH_AT="--evaluation" BENCH_AWP="--examples 1000" BENCH_WRN="--steps 25 --examples 1000" ATTACK="" STEPS=50
  GOLDEN_EPOCHS=10
  SEEDS=3 EPOCHS=5 RECORD_EPOCHS=10 CLAIM_EPOCHS=15 CLAIM=""
  PARITY_AT="cifar10-rn18-at cifar10-rn18-at-ensgd cifar10-rn18-at-2ndensgd"
  PARITY_AWP="cifar10-rn18-awp cifar10-rn18-awp-ensgd cifar10-rn18-awp-2ndensgd"
  PARITY_FLOAT32="cifar10-rn18-at cifar10-rn18-awp"
  PARITY_TRADES="cifar10-wrn-trades cifar10-wrn-trades-ensgd cifar10-wrn-trades-ensgd+2nd"
else
  AT=compact-at ENSGD=compact-at-ensgd GOLDEN=compact-at+code AWP=compact-awp WRN=compact-at STEM=compact
  BENCH_AT="--batch 2 --steps 5 --examples 2" BENCH_AWP="--steps 5 --examples 20" BENCH_WRN=$BENCH_AWP
  ATTACK="--examples 20" STEPS=2 WHOLE=$LEAST
  GOLDEN_EPOCHS=10 SEEDS=2 EPOCHS=1 RECORD_EPOCHS=2 CLAIM_EPOCHS=4 CLAIM="--evaluate-every 1"
  CLAIM_SEEDS=2
  PARITY_AT="compact-at compact-at-ensgd compact-at-2ndensgd"
  PARITY_AWP="compact-awp compact-awp-ensgd compact-awp-2ndensgd"
  PARITY_FLOAT32="compact-at compact-awp"
  # The small net has no TRADES recipe; this rehearses the command.
  PARITY_TRADES="compact-at+code"
fi

main() {
  [ $# -gt 0 ] || fail "name pieces, or LIST, or next: $PIECES"
  for setting in LIMIT CLAIM_SEEDS; do
    [[ ${!setting} =~ ^[1-9][0-9]{0,5}$ ]] || fail "$setting=${!setting} is no number of at least 1"
  done
  DEADLINE=$(($(date +%s) + LIMIT - GRACE))
  case $1 in LIST | next) [ $# -eq 1 ] || fail "$1 stands alone, here with: ${*:2}" ;; esac
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
  failed=0
  for piece in $asked; do
    run_piece "$piece"
    status=$?
    case $status in
      0) ;;
      2 | 75 | 130) return "$status" ;;
      *)
        failed=1
        # Of pieces that were named the later ones may build on this one.
        [ "$1" = next ] || break
        ;;
    esac
  done
  return "$failed"
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
from support.commands import guarded
from training.data import load
from training.engine.device import Computing
def shown():
    Computing.of(sys.argv[2]).prepare()
    data = load('cifar10', sys.argv[1])
    print(data.label, len(data.train_images), len(data.test_images), 'torch', torch.__version__, sys.argv[2])
    return 0
sys.exit(guarded('measure_gpu', shown))
" "$DATA" "$DEVICE"
}

# shellcheck disable=SC2086  # settings are lists of words
piece_bench_rn18_at() { bench --recipe cifar10-rn18-at $BENCH_AT; }
# shellcheck disable=SC2086
piece_bench_rn18_awp() { bench --recipe $AWP $BENCH_AWP; }
# shellcheck disable=SC2086
piece_bench_wrn_at() { bench --recipe $WRN $BENCH_WRN; }

piece_parity_at() { parity "$OUT" "$PARITY_AT"; }
piece_parity_awp() { parity "$OUT" "$PARITY_AWP"; }
piece_parity_float32() { parity "$OUT/float32" "$PARITY_FLOAT32" --amp off; }
# One run of the moved reference: a wide net has no time for two.
piece_parity_trades() { parity "$OUT" "$PARITY_TRADES" --moves 1; }

piece_golden() {
  train --recipe "$GOLDEN" --epochs "$GOLDEN_EPOCHS" --out "$OUT" || return $?
  # In a rehearsal there is nothing to compare, and it says so.
  verdict golden "$LEAST" "$PYTHON" -m training.studies.golden_curve --records "$OUT"
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
  verdict claim "$LEAST" "$PYTHON" -m training.studies.acceleration --stem "$STEM" --seeds "$CLAIM_SEEDS" --epochs "$CLAIM_EPOCHS" $CLAIM \
    --device "$DEVICE" ${DATA:+--data-dir "$DATA"} --out "$OUT" || return $?
  if ! "$PYTHON" -c 'import matplotlib' 2> /dev/null; then
    echo "claim: $PYTHON has no matplotlib: its figure is drawn by the command in $OUT/claim_$STEM.md, where there is one"
    return 0
  fi
  at="$STEM-at-e$CLAIM_EPOCHS" entropy="$STEM-at-*ensgd-e$CLAIM_EPOCHS"
  step "$LEAST" "$PYTHON" -m figures --only figure3 --runs "$at,$at+*,$entropy,$entropy+*" --records "$OUT" \
    --out "$OUT/claim_figure"
  status=$?
  # Without any run there is nothing to draw, which is no bad input.
  [ "$status" -ne 2 ] || status=1
  return "$status"
}

bench() {
  need=$WHOLE
  case $* in *--autoattack*) need=$LEAST ;; esac
  step "$need" "$PYTHON" -m training.studies.bench "$@" --device "$DEVICE" ${DATA:+--data-dir "$DATA"} --out "$OUT"
}

train() {
  step "$LEAST" "$PYTHON" training/run.py "$@" --autoattack none --device "$DEVICE" ${DATA:+--data-dir "$DATA"}
}

# Each recipe once: a line in parity.jsonl on this device with as many steps says that it was made.
#   parity FOLDER RECIPES [OPTION...]
parity() {
  folder=$1 names=$2
  shift 2
  for name in $names; do
    if ! grep -qs "\"recipe\": \"$name\".*\"steps\": $STEPS,.*\"device\": \"${DEVICE%%:*}\"" "$folder/parity.jsonl"; then
      verdict "parity $name${*:+ $*}" "$WHOLE" "$PYTHON" -m training.studies.parity --recipe "$name" --steps "$STEPS" "$@" \
        --device "$DEVICE" ${DATA:+--data-dir "$DATA"} --out "$folder" || return $?
    fi
  done
}

# Two folders: a run's own folder belongs to one engine.
accuracy() {
  for engine in fast reference; do
    train --recipe "$1" --seeds "$SEEDS" --epochs "$EPOCHS" --evaluate-every "$EPOCHS" --engine "$engine" \
      --out "$OUT/engine-$engine" || return $?
  done
  verdict "accuracy $1" "$LEAST" "$PYTHON" -m training.studies.engine_accuracy --recipe "$1" --epochs "$EPOCHS" --seeds "$SEEDS" \
    --device "${DEVICE%%:*}" --fast "$OUT/engine-fast" --reference "$OUT/engine-reference"
}

# A command within the time that is left, if that is at least so many seconds: its status, or 75 where the time was over
# and it saved itself. Killed before its time was over, as for want of memory, it has failed.
step() {
  left=$((DEADLINE - $(date +%s)))
  [ "$left" -ge "$1" ] || return 75
  shift
  timeout --signal=TERM --kill-after="$GRACE" "$left" "$@"
  status=$?
  case $status in
    124 | 143) return 75 ;;
    137) [ "$(date +%s)" -lt "$DEADLINE" ] || return 75 ;;
  esac
  return "$status"
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
  # What was compiled when the time was over is not compiled again.
  export TORCHINDUCTOR_CACHE_DIR="$OUT/compiled"
  trap keep EXIT
}

keep() {
  [ -n "$KEEP" ] || return 0
  # A run without its nets is still a finished one, and an unfinished one begins anew. The net that AutoAttack trained
  # for itself is of no use without its weights.
  left_out=(--exclude='*.pt' --exclude='*.pt.part' --exclude=./again --exclude=./figures)
  if [ -d "$OUT/compiled" ] && [ "$(du -sm "$OUT/compiled" | cut -f 1)" -gt "$SMALL" ]; then
    left_out+=(--exclude=./compiled)
  fi
  mkdir -p "$KEEP" && tar -C "$OUT" "${left_out[@]}" -czf "$KEEP/measured.tar.gz.part" . \
    && mv "$KEEP/measured.tar.gz.part" "$KEEP/measured.tar.gz"
}

is_done() { [ -e "${OUT}/measured/$1.done" ]; }

fail() {
  echo "measure_gpu: $1" >&2
  exit 2
}

main "$@"
