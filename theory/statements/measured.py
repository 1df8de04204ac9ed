"""What `python -m training.studies.probe` measured on small nets, in the sentences of results/probe.md: evidence that
remarks of empirical claims show. A test compares them with results/probe.json, which the command writes anew."""

from __future__ import annotations

LEAD = "Measured on nets for 8x8 digits (results/probe.md). "

# Do attacks on trained nets satisfy the hypotheses of Lemmas 4 and 5?
POSITIONS = LEAD + (
    "L-infinity, smooth nets: for 0.0 % of the attacks (90.8 % on faces of the box, 9.2 % at a corner; n "
    "= 1,760 images, 44 nets, seeds 0, 1, 2); of the 1,760 that converged 1,599 of the 1,599 that can "
    "move have c > 0, and the pixel box, which the lemmas lack, holds 25.2 % of the coordinates. L2, "
    "smooth nets: for 100.0 % of the attacks (100.0 % on the sphere; n = 1,720 images, 43 nets, seeds 0, "
    "1, 2); of the 1,720 that converged 1,720 of the 1,720 that can move have c > 0, and the pixel box, "
    "which the lemmas lack, holds 25.1 % of the coordinates. L-infinity, ReLU nets: for 0.0 % of the "
    "attacks (96.6 % where the search ends on a kink, 1.8 % unresolved, 1.6 % at a corner; n = 840 "
    "images, 21 nets, seeds 0, 1); of the 14 that converged 0 of the 0 that can move have c > 0, and the "
    "pixel box, which the lemmas lack, holds 29.5 % of the coordinates. L2, ReLU nets: for 12.8 % of the "
    "attacks (86.5 % where the search ends on a kink, 12.8 % on the sphere, 0.8 % unresolved; n = 840 "
    "images, 21 nets, seeds 0, 1); of the 106 that converged 106 of the 106 that can move have c > 0, and"
    " the pixel box, which the lemmas lack, holds 23.5 % of the coordinates."
)

# How far are the lemmas' constants from the truth?
BOUNDS = LEAD + (
    "L-infinity: the tangent-space bound 1.34 [1.1, 1.7] times the measured speed, median of 333 images "
    "of 44 smooth nets, seeds 0, 1, 2; exceeded 0 times. L2: the tangent-space bound 1.09 [1, 1.1] and "
    "the paper's 21.8 [19, 25] times the measured speed, median of 344 images of 43 smooth nets, seeds 0,"
    " 1, 2; exceeded 0 times."
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
    "L-infinity, across methods and epochs: log sigma changes by -0.993 [-3.1, 1.2] for each unit of log "
    "curvature: the interval leaves it open (44 smooth nets, seeds 0, 1, 2). L-infinity, under a rising "
    "input-gradient penalty: log sigma changes by 1.31 [1, 1.6] for each unit of log curvature: it falls "
    "with the curvature (12 smooth nets, seeds 0, 1, 2). L2, across methods and epochs: log sigma changes"
    " by -0.68 [-1.8, 0.42] for each unit of log curvature: the interval leaves it open (43 smooth nets, "
    "seeds 0, 1, 2). L2, under a rising input-gradient penalty: log sigma changes by 0.993 [-0.052, 2] "
    "for each unit of log curvature: the interval leaves it open (12 smooth nets, seeds 0, 1, 2)."
)
