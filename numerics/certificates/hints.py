"""Intermediate facts for the few statements that no search settled by itself: polynomials, by claim, at whose signs
their cases are split. A hint is trusted no more than the search; each side of a split has its own certificate."""

from __future__ import annotations

MARGINS = (
    *("D*R - {<x,theta_1-theta_2>}", "D*R + {<x,theta_1-theta_2>}", "D - k", "D + k"),
    *("D*R + D*epsilon - {|m_1-m_2|}", "D*R + D*epsilon + {|m_1-m_2|}"),
)
HINTS: dict[str, tuple[str, ...]] = {
    "eq13": ("{<change,rest>} + {|change|}*{|rest|}", "{|change|} + {|rest|} - t*{|Hv|}"),
    "lemma2": ("{|a|}*{|b|} - {<a,b>}", "{|a|}*{|b|} + {<a,b>}"),
    "sec31.circle": ("{|a|}*{|b|} - {<a,b>}", "{|a|}*{|b|} + {<a,b>}"),
    "theorem1": MARGINS,
    "theorem1.descent": MARGINS,
    "beyond.c-theta-x-unbounded": ("17*u - 16*T", "3*x_1 - 8"),
    "sec51.linf-not-continuous": ("P*Q - p*q", "n - P + Q", "n + P - Q", "p - q", "n - p + q", "n + p - q"),
    "beyond.p-below-2": ("-E", "E*w + c", "c"),
    "beyond.small-epsilon": ("{|a|}*{|b|} - {<a,b>}",),
    "beyond.entropy-weakly-convex": (
        "{|theta|}*{|t|} - {<theta,t>}",
        "gamma*{|theta|} - (gamma - rho)*{|t|}",
    ),
    "beyond.entropy-smooth": ("{|theta|}*{|t|} - {<theta,t>}", "gamma*{|theta|} - (gamma - C)*{|t|}"),
    "beyond.entropy-lipschitz": (
        "G*sd + {Cov(<theta',v>, D_vL)}",
        "G*sd - {Cov(<theta',v>, D_vL)}",
        "G + r - 2*gamma*sd",
        "2*gamma*sd + G - r",
    ),
    "beyond.entropy-adversarial-logistic": ("{|x|}*{|delta|} - {<x,delta>}",),
}
