"""What `python -m training.studies.probe` measured on small nets, in the sentences of results/probe.md: evidence that
remarks of empirical claims show. A test compares them with results/probe.json, which the command writes anew."""

from __future__ import annotations

LEAD = "Measured on nets for 8x8 digits (results/probe.md). "

# Do attacks on trained nets satisfy the hypotheses of Lemmas 4 and 5?
POSITIONS = LEAD + (
    "L-infinity, smooth nets: for 0.0 % of the attacks (89.6 % on faces of the box, 10.4 % at a corner; n"
    " = 1,480 images, 37 nets, seeds 0, 1, 2); of the 1,480 that converged 1,327 of the 1,327 that can "
    "move have c > 0, and the pixel box, which the lemmas lack, holds 25.5 % of the coordinates. L2, "
    "smooth nets: for 100.0 % of the attacks (100.0 % on the sphere; n = 1,440 images, 36 nets, seeds 0, "
    "1, 2); of the 1,440 that converged 1,440 of the 1,440 that can move have c > 0, and the pixel box, "
    "which the lemmas lack, holds 25.2 % of the coordinates. L-infinity, ReLU nets: for 0.0 % of the "
    "attacks (96.5 % on a kink, 1.8 % unresolved, 1.7 % at a corner; n = 720 images, 18 nets, seeds 0, "
    "1); of the 12 that converged 0 of the 0 that can move have c > 0, and the pixel box, which the "
    "lemmas lack, holds 27.8 % of the coordinates. L2, ReLU nets: for 13.8 % of the attacks (85.4 % on a "
    "kink, 13.8 % on the sphere, 0.8 % unresolved; n = 720 images, 18 nets, seeds 0, 1); of the 99 that "
    "converged 99 of the 99 that can move have c > 0, and the pixel box, which the lemmas lack, holds "
    "23.5 % of the coordinates."
)

# How far are the lemmas' constants from the truth?
BOUNDS = LEAD + (
    "L-infinity: the tangent-space bound 1.3 [1.1, 1.6] times the measured speed, median of 277 images of"
    " 37 smooth nets, seeds 0, 1, 2; exceeded 0 times. L2: the tangent-space bound 1.09 [1, 1.1] and the "
    "paper's 21.4 [18, 26] times the measured speed, median of 288 images of 36 smooth nets, seeds 0, 1, "
    "2; exceeded 0 times."
)

# Does EntropySGD end in smoother places?
SMOOTHER = LEAD + (
    "L-infinity, AT+EnSGD over AT after epoch 30: sigma is 0.767 [0.51, 1.2] times AT's: the interval "
    "leaves it open (smooth nets, seeds 0, 1, 2, 60 training images). L-infinity, AWP over AT after epoch"
    " 30: sigma is 0.795 [0.21, 3.1] times AT's: the interval leaves it open (smooth nets, seeds 0, 1, 2,"
    " 60 training images). L2, AT+EnSGD over AT after epoch 30: sigma is 0.755 [0.55, 1] times AT's: the "
    "interval leaves it open (smooth nets, seeds 0, 1, 2, 60 training images). L2, AWP over AT after "
    "epoch 30: sigma is 0.704 [0.57, 0.87] times AT's: smoother (smooth nets, seeds 0, 1, 2, 60 training "
    "images)."
)

# Does the smoothness constant grow as curvature in x falls?
FLATTENING = LEAD + (
    "L-infinity, across methods and epochs: log sigma changes by -0.968 [-2.7, 0.76] for each unit of log"
    " curvature: the interval leaves it open (37 smooth nets, seeds 0, 1, 2). L-infinity, under a rising "
    "input-gradient penalty: log sigma changes by 1.31 [1, 1.6] for each unit of log curvature: it falls "
    "with the curvature (12 smooth nets, seeds 0, 1, 2). L2, across methods and epochs: log sigma changes"
    " by -0.578 [-1.9, 0.73] for each unit of log curvature: the interval leaves it open (36 smooth nets,"
    " seeds 0, 1, 2). L2, under a rising input-gradient penalty: log sigma changes by 0.993 [-0.052, 2] "
    "for each unit of log curvature: the interval leaves it open (12 smooth nets, seeds 0, 1, 2)."
)
