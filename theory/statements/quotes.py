"""The paper's own words for the claims about them: id of a claim -> what is printed, from the first to the last word.

`[...]` stands for one formula left out, and for nothing else. A claim that is not here is told by its reading alone.
"""

from __future__ import annotations

QUOTES = {
    "abstract.constraint-causes": (
        "We reveal that the constraint of adversarial attacks is one cause of the non-smoothness and that "
        "the smoothness depends on the types of the constraints."
    ),
    "abstract.linf-more": (
        "Specifically, the L_∞ constraint can cause non-smoothness more than the L_2 constraint."
    ),
    "intro.gradient-descent": (
        "Since the gradient-based optimization is not very effective for non-smooth objective functions [1], "
        "this indicates that minimization in adversarial training is more difficult than that in the "
        "standard training."
    ),
    "intro.interior-smooth": (
        "we reveal that the adversarial loss using the optimal attack is a locally smooth function if the "
        "optimal attack is inside the feasible region of the constraints (i.e., if the constraints do not "
        "affect the optimal attack)."
    ),
    "intro.l2-boundary": (
        "In addition, even if the optimal attack is on the boundary of the feasible region, the adversarial "
        "loss with the L_2 norm constraint becomes locally smooth."
    ),
    "sec6.non-lipschitz": (
        "the gradient of adversarial loss can be non-Lipschitz continuous for some points."
    ),
    "eq1.objective": "To obtain a robust model, adversarial training attempts to solve [...]",
    "eq1.pgd-projection": (
        r"clips elements of $\boldsymbol{\delta}$ into the range $[-\varepsilon, \varepsilon]$ as a "
        r"projection operation into the feasible region $\{\boldsymbol{\theta} \mid "
        r"\|\boldsymbol{\delta}\|_{\infty} \leq \varepsilon\}$."
    ),
    "definition1.eq2": "is C_l-Lipschitz on a set Θ if there is a constant [...] satisfying [...]",
    "definition1.eq3": "is C_s-smooth on a Θ if there is a constant [...] satisfying [...]",
    "eq4.letter": (
        r"$$\|\nabla_{\boldsymbol{\theta}} f(\boldsymbol{\theta}_1) - \nabla_{\boldsymbol{\theta}} "
        r"f(\boldsymbol{\theta}_2)\| \leq C_s \|\boldsymbol{\theta}_1 - \boldsymbol{\theta}_2\|, \quad "
        r"\forall \boldsymbol{\theta}_1, \boldsymbol{\theta}_2 \in \{\boldsymbol{\theta} \mid "
        r"L(\boldsymbol{\theta}) \leq L(\boldsymbol{\theta}^0)\}, \quad (4)$$"
    ),
    "eq4.locally-smooth": (
        "However, if there is a set where the gradient of the loss function is locally Lipschitz continuous, "
        "the gradient method can be effective under the condition of Eq. (4)."
    ),
    "assumption1": "For loss function [...], we have the following inequalities: [...]",
    "assumption1.with-respect-to-x": (
        "Assumption 1 states that [...] is C_θ-Lipschitz, [...]-smooth with respect to θ, and [...]-smooth "
        r"with respect to \mathbf{x}."
    ),
    "assumption1.everywhere": (
        r"For adversarial training with L_2 norm constraints $\|\delta\|_2 \leq \varepsilon$, if we have "
        r"$\|\theta\|_2 \geq \theta_{\min} > 0$, the following inequality holds: [...]"
    ),
    "prop1.eq8": (
        r"If the Assumption 1 holds, we have $$\|L_\varepsilon(\theta_1) - L_\varepsilon(\theta_2)\| \leq "
        r"C_\theta \|\theta_1 - \theta_2\|, \quad (8)$$"
    ),
    "prop1.eq9": (
        r"$$\|\nabla_\theta L_\varepsilon(\theta_1) - \nabla_\theta L_\varepsilon(\theta_2)\| \leq "
        r"C_{\theta\theta} \|\theta_1 - \theta_2\| + 2\varepsilon C_{\theta\mathbf{x}}. \quad (9)$$"
    ),
    "prop1.within-epsilon": (
        r"Since $\|\mathbf{x} - \mathbf{x}'\| \leq \varepsilon$ and [...] is [...], we can show [...] from "
        "Eq. (14)."
    ),
    "prop1.inference": (
        "From this proposition, Liu et al. [22] concluded that the adversarial loss [...] is not globally "
        "smooth for θ because Eq. (9) has a constant term."
    ),
    "prop1.not-a-proof": (
        "This lemma indicates that Proposition 1 does not prove non-smoothness of adversarial loss if "
        "adversarial examples are functions of the parameter."
    ),
    "eq10": "The objective function of EntropySGD is [...]",
    "eq11": "The gradient of EntropySGD with [...] becomes [...]",
    "eq12": "where p_θ is a probability density function as [...]",
    "eq11.smaller-constant": (
        "Chaudhari et al. [3] have shown that EntropySGD improves the smoothness of the smooth loss: i.e., "
        "the Lipschitz constant of [...] is smaller than that of [...] when [...] is smooth."
    ),
    "eq13": "if a C_s-Lipschitz gradient [...] is everywhere differentiable, we have [...]",
    "eq13.reference": (
        "Equation (75) indicates that smooth functions with small C_s tend to have small spectral norms of "
        "the Hessian matrices, i.e., flat loss landscapes."
    ),
    "eq14.wording": "Its proof of sketch is as follows:",
    "lemma1": (
        "If the adversarial example [...] is a C-Lipschitz function, the gradient of adversarial loss is "
        "[...]-Lipschitz, that is, adversarial loss is [...]-smooth."
    ),
    "lemma1.eq24": "If the adversarial example [...] is a C-Lipschitz function, we have [...]",
    "lemma2.attack": "Then, we have [...], and thus, we compute the Lipschitz constants for [...].",
    "lemma2": (
        "For adversarial training with L_2 norm constraints [...], if there exists a lower bound [...] such "
        r"as [...], we have the following inequality: $$\|\mathbf{x}'(\theta_1) - \mathbf{x}'(\theta_2)\| "
        r"\leq \frac{\varepsilon}{\theta_{\min}} \|\theta_1 - \theta_2\|. \quad (15)$$"
    ),
    "lemma2.bounded-set": (
        "Thus, adversarial examples are [...]-Lipschitz on a bounded set not including the origin [...]."
    ),
    "lemma2.off-the-origin": (
        "This lemma indicates that adversarial examples with L_2 constraints are Lipschitz continuous "
        "function of θ in the set excluding the origin."
    ),
    "lemma2.label": "Note that we can be easily derive the same results for [...].",
    "lemma2.eq27": "By using the Lagrange multiplier, we use the following function: [...]",
    "lemma2.eq28": (
        r"and we find the solution satisfying $$\nabla_{\boldsymbol{\delta}}J(\boldsymbol{\delta}) = "
        r"\mathbf{0}, \quad (28)$$"
    ),
    "lemma2.slackness": (
        r"and we find the solution satisfying $$\nabla_{\boldsymbol{\delta}}J(\boldsymbol{\delta}) = "
        r"\mathbf{0}, \quad (28)$$ $$\|\boldsymbol{\delta}\|_2 - \varepsilon \leq 0, \quad (29)$$ $$\lambda "
        r"\leq 0. \quad (30)$$"
    ),
    "lemma2.scalar": r"$\frac{\lambda}{\|\boldsymbol{\theta}_2\|}$ are scalar values",
    "lemma2.opposite": (
        "are scalar values and [...], [...] and [...] have the opposite direction. Thus, we can write as "
        "[...] where [...]."
    ),
    "lemma2.J-increases": "Since J monotonically increases in accordance with k,",
    "lemma2.J-along-eq28": "Since J monotonically increases in accordance with k,",
    "lemma2.k": r"we have $k = \varepsilon$ from Eq. (29).",
    "lemma2.eq32": "we compute the Jacobian of [...]. We have",
    "lemma2.eigenvalues": (
        "because this matrix is a normal matrix that has eigenvalues of [...] and [...] for [...]."
    ),
    "lemma2.spectral-norm": (
        "The spectral norm of this matrix is [...] because this matrix is a normal matrix that has "
        "eigenvalues of"
    ),
    "lemma2.jacobian-bound": (
        "Since Lipschitz constants for vector-valued continuous functions bound the operator norm of "
        "Jacobian, we compute the Jacobian of"
    ),
    "theorem1": (
        "For adversarial training with L_2 norm constraints [...], if we have [...], the following "
        "inequality holds: [...]"
    ),
    "theorem1.averaged-norm": (
        r"$\|\nabla_{\theta} L_{\varepsilon}(\theta_1) - \nabla_{\theta} L_{\varepsilon}(\theta_2)\| = "
        r"\|\frac{1}{N} \sum_n (\nabla_{\theta} \ell_{\varepsilon}(\mathbf{x}_n, \theta_1) - \nabla_{\theta} "
        r"\ell_{\varepsilon}(\mathbf{x}_n, \theta_2))\| = \frac{1}{N} \sum_n \|\nabla_{\theta} "
        r"\ell_{\varepsilon}(\mathbf{x}_n, \theta_1) - \nabla_{\theta} \ell_{\varepsilon}(\mathbf{x}_n, "
        r"\theta_2)\|"
    ),
    "theorem1.bounded-set": (
        "Thus, adversarial loss L_{ε} is [...]-smooth on a bounded set that does not include [...]."
    ),
    "theorem1.off-the-origin": (
        "This theorem shows that the adversarial loss for the binary linear classification with the L_2 "
        r"constraint is a smooth function for $\theta \neq \mathbf{0}$."
    ),
    "theorem1.descent": (
        r"From Eq. (4), if $L_{\varepsilon}(\theta^0) < L_{\varepsilon}(\mathbf{0})$, a gradient method is "
        "effective in this case."
    ),
    "theorem1.larger": (
        "Note that the Lipschitz constant [...] is larger than that for standard training [...]."
    ),
    "theorem1.larger-need": (
        "Note that the Lipschitz constant [...] is larger than that for standard training [...]."
    ),
    "lemma3.attack": "The solution is obtained as [...] where sign is an element-wise sign function [10].",
    "lemma3": (
        "if the sign of one element at least is different between [...] and [...] ([...]), adversarial "
        "examples are not Lipschitz continuous. If all signs are the same ([...]), we have [...]"
    ),
    "lemma3.same-signs": (
        r"If all signs are the same ($\forall i: \text{sign}(\theta_{1,i}) = \text{sign}(\theta_{2,i})$), we "
        r"have $$\|\mathbf{x}'(\theta_1) - \mathbf{x}'(\theta_2)\| = 0. \quad (17)$$"
    ),
    "lemma3.any-maximiser": (
        r"If all signs are the same ($\forall i: \text{sign}(\theta_{1,i}) = \text{sign}(\theta_{2,i})$), we "
        r"have $$\|\mathbf{x}'(\theta_1) - \mathbf{x}'(\theta_2)\| = 0. \quad (17)$$"
    ),
    "lemma3.bounded-set": (
        "Thus, adversarial examples are Lipschitz continuous on a bounded set that does not include [...] "
        "and where no signs of elements change."
    ),
    "lemma3.monotone": (
        "is a monotonically decreasing function for [...], the solution minimizes [...] subject to"
    ),
    "theorem2": "in the set where [...], the following inequality holds: [...]",
    "theorem2.bounded-set": (
        "-smooth on a bounded set that does not include [...] and where no signs of elements change."
    ),
    "theorem2.two-epsilon": (
        r"Otherwise, $\|\mathbf{x}'(\theta_1) - \mathbf{x}'(\theta_2)\| \leq 2\varepsilon$ because "
        r"$\|\mathbf{x}'(\theta) - \mathbf{x}\| \leq \varepsilon$,"
    ),
    "theorem2.inference": (
        r"Otherwise, $\|\mathbf{x}'(\theta_1) - \mathbf{x}'(\theta_2)\| \leq 2\varepsilon$ because "
        r"$\|\mathbf{x}'(\theta) - \mathbf{x}\| \leq \varepsilon$, and thus, the gradient of adversarial loss "
        "is not Lipschitz continuous,"
    ),
    "sec31.smaller-family": (
        "This lemma indicates that the set where adversarial examples with L_∞ norm constraints are "
        "Lipschitz continuous is smaller than the set where those with L_2 norm constraints are Lipschitz "
        "continuous."
    ),
    "sec31.depends": (
        "Thus, the Lipschitz continuity of adversarial examples depend on the types of the constraint for "
        "adversarial examples."
    ),
    "sec31.circle": (
        "In the case of the L_2 constraint, adversarial examples continuously move on the circle depending "
        "on θ."
    ),
    "sec31.corner": (
        "On the other hand, in the case of the L_∞ constraint, even if the difference between θ_1 and θ_2 is "
        "only small, the distance between [...] and [...] can be 2ε, which is the length of the side of the "
        "square. This is because the adversarial examples are located at the corner of the square."
    ),
    "sec31.boundary": (
        "while those for linear models are on the boundary of the feasible region (Fig. 1(a))."
    ),
    "lemma4": (
        "If there is a constant [...] such as [...] where λ_i is the i-th eigenvalue, the optimal "
        "adversarial example [...] in some neighborhood U of [...] is a continuously differentiable function "
        "[...] and we have [...]"
    ),
    "lemma4.eq39": "by using the implicit function theorem, its Jacobian is given by [...]",
    "lemma4.inverse-norm": "Since the Hessian matrix is a normal matrix and we assume",
    "lemma4.eq40": "for a differentiable C_l-Lipschitz function f. Therefore, the spectral norm of",
    "lemma4.eq41": (
        "Therefore, the spectral norm of [...] is bounded above by [...], and thus, we have [...]"
    ),
    "lemma4.mixed-partials": "On the other hand, we have [...] since [...] is a C^1 function.",
    "lemma4.at-the-point": (
        r"$\max_i \lambda_i(\nabla_x^2 \ell(\mathbf{x}', \boldsymbol{\theta})) \leq-c$ where λ_i is the i-th "
        r"eigenvalue, the optimal adversarial example \mathbf{x}^* in some neighborhood U of "
        r"$\boldsymbol{\theta}$ is a continuously differentiable function"
    ),
    "lemma4.global-optimum": (
        "the optimal adversarial example [...] in some neighborhood U of [...] is a continuously "
        "differentiable function [...] and we have [...]"
    ),
    "sec321.stationary": (
        "Since the constraint is inactive in this case, the optimal adversarial examples [...] satisfy "
        "[...], and we show local Lipschitz continuity of"
    ),
    "sec321.linear-boundary": (
        "while those for linear models are on the boundary of the feasible region (Fig. 1(a))."
    ),
    "sec321.sufficient": "Note that [...] is a sufficient condition for the local maximum points,",
    "sec321.expected-c": (
        r"Note that $\nabla_x^2 \ell(\mathbf{x}^*, \boldsymbol{\theta}) \prec 0$ is a sufficient condition "
        r"for the local maximum points, and thus, \mathbf{x}^* is expected to have a constant c such as [...]."
    ),
    "sec321.easily-broken": (
        "Even so, the condition where the optimal adversarial examples exist inside the feasible region "
        "might be easily broken by the change of"
    ),
    "sec321.smooth": (
        "From Lemmas 1 and 4, adversarial loss can be locally [...]-smooth on the parameter set such that "
        "the local maximum point [...] exists inside the feasible region."
    ),
    "sec321.caused-by-constraints": (
        "This lemma also indicates that non-smoothness of adversarial loss is caused by the constraints of "
        "adversarial examples: if the constraints of adversarial examples are inactive, the adversarial loss "
        "tends to be smooth under Assumption 1."
    ),
    "eq20": "The Lagrange function [...] with the L_p norm constraint is given by [...]",
    "eq20.stationary": "the local maximum point [...] of this problem satisfies",
    "eq20.active-gradient": (
        "However, when the constraints of adversarial examples are active (Fig. 1(c)), we cannot prove it in "
        r"the same manner because $\nabla_x \ell(\mathbf{x}^*, \boldsymbol{\theta}) \neq \mathbf{0}$."
    ),
    "eq22": "Lemma 5 uses the bordered Hessian matrix: [...]",
    "eq43": (
        "For adversarial loss with the L_2 constraint, if ℓ is twice differentiable, we can compute the "
        "bordered Hessian as [...]"
    ),
    "lemma5": (
        "is the local maximum point satisfying [...] on the boundary of the feasible region of the L_2 "
        "constraint ([...]). If there is a constant [...] such as [...], the local maximum point [...] in "
        "some neighborhood U of [...] is a continuously differentiable function [...] and we have [...]"
    ),
    "lemma5.eq44": "by using the implicit function theorem, its Jacobian is given by [...]",
    "lemma5.padded": "From Assumption 1 and Eq. (40), we have [...]",
    "lemma5.subscript": (
        r"Since we assume $\min_i \sigma_i(\nabla_{\tilde{\mathbf{x}}}^2 J(\tilde{\mathbf{x}}, "
        r"\boldsymbol{\theta})) \geq c$, $\sigma_1(-(\nabla_x^2 J(\tilde{\mathbf{g}}(\boldsymbol{\theta}), "
        r"\boldsymbol{\theta}))^{-1})"
    ),
    "lemma5.odd-dimension": (
        r"is the local maximum point satisfying $\det(\nabla_{\tilde{\mathbf{x}}}^2 J(\tilde{\mathbf{x}}^*, "
        r"\boldsymbol{\theta})) > 0$ on the boundary of the feasible region of the L_2 constraint"
    ),
    "sec322.determinant-sufficient": (
        r"The condition $\det(\nabla_{\tilde{\mathbf{x}}}^2 J(\tilde{\mathbf{x}}^*, \boldsymbol{\theta})) > "
        "0$ is a sufficient condition of the local maximum point for constrained optimization problems [1]."
    ),
    "sec322.smooth": (
        "From Lemmas 1 and 5, adversarial loss can be locally [...]-smooth under the L_2 constraint even if "
        "the constraint is active."
    ),
    "sec322.infinity-cannot": (
        "On the other hand, if we use the L_∞ constraint, we cannot show the same results because [...] is "
        "not twice differentiable."
    ),
    "sec322.caused-by-constraints": (
        "This result also implies that non-smoothness of adversarial loss is caused by constraints."
    ),
    "sec322.twice-differentiable": (
        "To compute Eq. (22), [...] should be twice differentiable, which is satisfied when [...]."
    ),
    "sec322.infinity-norm": r"because $\|\mathbf{x}' - \mathbf{x}\|_\infty$ is not twice differentiable.",
    "sec322.flatten": (
        "become small: i.e., c can be a small value. As a result, the Lipschitz constant of gradient "
        r"($C_{\theta\theta} + C_{\theta x}^2/c$) increases, and thus, the Lipschitz constant of the gradient "
        "of adversarial loss with respect to θ increases."
    ),
    "sec322.flatten-boundary": "become small: i.e., c can be a small value.",
    "sec322.flatten-can": "become small: i.e., c can be a small value.",
    "sec322.flatten-bound": (
        r"As a result, the Lipschitz constant of gradient ($C_{\theta\theta} + C_{\theta x}^2/c$) increases, "
        "and thus, the Lipschitz constant of the gradient of adversarial loss with respect to θ increases."
    ),
    "sec322.difficulty": (
        "Since large Lipschitz constants decrease the convergence and stability of training [11], this "
        "relationship can explain why adversarial training is more difficult than standard training even if "
        "adversarial loss is smooth."
    ),
    "sec323.several-maxima": (
        "However, there might be several local maximum points of x' due to non-convexity of ℓ and "
        "adversarial loss ℓ_ε can use a different local maximum point for each parameter update. In this "
        "case, adversarial loss might be non-smooth even if we use the L_2 constraint."
    ),
    "sec323.local-branch": (
        "From the above results, the adversarial loss can be locally smooth if adversarial loss always uses "
        "the local optimal attack near the attack in the previous parameter update."
    ),
    "sec323.broken": (
        "is a sufficient condition for the local maximum point in Lemmas 4 and 5, it can be broken by the "
        "change in parameter θ."
    ),
    "sec323.more-often": (
        "From the above limitations, the adversarial loss tends to be non-smooth more often than the clean "
        "loss especially using the L_∞ constraint, and we should address the non-smoothness of the "
        "adversarial loss."
    ),
    "sec323.projection": "because projection Π_ε in PGD is not a continuous function.",
    "sec323.pgd-conjecture": (
        "We can conjecture that adversarial loss with the L_∞ constraints using PGD does not have globally "
        "Lipschitz continuous gradients because projection Π_ε in PGD is not a continuous function."
    ),
    "theorem3": (
        r"If we use EntropySGD for the non-negative loss function [...], we have $$\|\nabla_{\theta} "
        r"F(\theta_1) - \nabla_{\theta} F(\theta_2)\| \leq (\gamma + \gamma^2 \sup_{\theta} "
        r"\|\Sigma_{\theta'}\|_F) \|\theta_1 - \theta_2\|, \quad (23)$$"
    ),
    "theorem3.sup-over-the-set": (
        r"Thus, $-\nabla_{\theta} F(\theta)$ is Lipschitz continuous on a bounded set of θ."
    ),
    "theorem3.label": (
        r"Let $\Sigma_{\theta'}$ be a variance-covariance matrix of $p_{\theta'}(\theta')$ in Eq. (48)."
    ),
    "theorem3.eq72": (
        r"$$\sigma_1(-\nabla_{\boldsymbol{\theta}}^2 F) \leq \gamma + \gamma^2 "
        r"\|\boldsymbol{\Sigma}_\theta\|_F < \infty, \quad (72)$$"
    ),
    "theorem3.eq49": "Note that we use the following equality for the derivation of the gradient: [...]",
    "theorem3.eq50": r"\mathbb{E}_{p_{\boldsymbol{\theta}}}[\theta'_i]) z w =",
    "theorem3.eq51": "To compute the Hessian [...], we compute the derivative of Eq. (47) as [...]",
    "theorem3.eq52": "By using Eq. (49), the second term becomes [...]",
    "theorem3.covariance": "is a variance-covariance matrix of [...], we have [...]",
    "theorem3.eq53": r"$$-\nabla_{\theta}^2 F = \gamma \mathbf{I} - \gamma^2 \Sigma_{\theta}. \quad (53)$$",
    "theorem3.eq54": "Thus, for the spectral norm of [...], we have [...]",
    "theorem3.eq55": (
        "Since spectral norms of matrices are smaller than or equal to Frobenius norms, we have [...]"
    ),
    "theorem3.eq56": "becomes a Lipschitz constant. Therefore, we will show [...]",
    "theorem3.eq57": "are satisfied if the following improper integrals converge: [...]",
    "theorem3.eq59": (
        "becomes negative and is difficult to compute in the improper integral, we split the integral into "
        "two integrals: [...]"
    ),
    "theorem3.unprimed": (
        r"because $0 \leq L(\theta')$, $0 \leq \exp(-L(\theta')) \leq 1$, and $\theta_i \theta_j \geq 0$ for "
        r"$\theta \in \Theta_+$."
    ),
    "theorem3.eq65": "Similarly, we split the integral into two integrals: [...]",
    "theorem3.eq61": (
        r"because $0 \leq L(\theta')$, $0 \leq \exp(-L(\theta')) \leq 1$, and $\theta_i \theta_j \geq 0$ for "
        r"$\theta \in \Theta_+$."
    ),
    "theorem3.gaussian": (
        "Since the right hand side of Eq. (61) is a part of the computation of the covariance (variance) of "
        r"Gaussian distributions $\mathcal{N}(\theta, \gamma \mathbf{I})$,"
    ),
    "theorem3.eq63": "Similarly, for negative part Eq. (60), we have [...]",
    "theorem3.bounded-set": (
        r"Thus, $-\nabla_{\boldsymbol{\theta}} F(\boldsymbol{\theta})$ is Lipschitz continuous on a bounded "
        r"set of $\boldsymbol{\theta}$."
    ),
    "sec4.increase": (
        "In the previous section, we showed that adversarial training increases Lipschitz constants of "
        "gradient of adversarial loss and can cause non-smoothness."
    ),
    "sec4.non-negative": (
        "Many non-negative loss functions (e.g., cross-entropy for the classification) are used for training "
        "of DNNs."
    ),
    "sec51.l2-not-continuous": (
        r"adversarial loss with the L_2 constraint is not continuous at $\theta = \mathbf{0}$"
    ),
    "sec51.linf-not-continuous": (
        r"adversarial loss with the L_∞ constraint is not continuous where $\theta_i = 0$."
    ),
    "sec51.ensgd-smooth": "Thus, EnSGD smoothens non-smooth functions as shown in Theorem 3.",
    "sec51.ensgd-almost-same": (
        "with L_2 and L_∞ constraints are different, smoothnesses of their loss functions [...] are almost "
        "the same."
    ),
    "fig2f.swish-derivative": (
        "because the optimal input [...] satisfying [...] is in the interval of [...]."
    ),
    "fig2.closed-form": (
        "Since we cannot compute the optimal adversarial examples in closed form, we used PGD attacks to "
        "generate adversarial examples."
    ),
    "fig2f.region": (
        r"the adversarial loss can be smooth in the region where $\theta_1 > 1$ and $\theta_2 < -1$ unlike "
        "the linear model (Fig. 2(c)). This is because the optimal attacks are inside the feasible region"
    ),
    "fig2f.lemma4": (
        "This is because the optimal attacks are inside the feasible region and satisfy Lemma 4:"
    ),
    "fig2.l2-larger-set": (
        "The adversarial loss with the L_2 constraint (Fig. 2(e)) have larger sets where the loss is smooth "
        "than that with the L_∞ constraint"
    ),
    "fig2f.unlike-linear": (
        "In Fig. 2(f), though we use the L_∞ constraint, the adversarial loss can be smooth in the region "
        r"where $\theta_1 > 1$ and $\theta_2 < -1$ unlike the linear model (Fig. 2(c))."
    ),
    "sec51.not-shallow": (
        "Note that though we use a one-layer simple network to visualize the loss surface, Lemmas 4 and 5 "
        "are not limited to shallow networks and binary classification problems."
    ),
    "sec52.awp-grid": r"The hyperparameter of AWP is tuned in $\{0.01, 0.005\}$.",
    "sec52.tuned-iterations": r"and tuned an iteration L in $\{20, 30\}$.",
    "sec52.wrn-same": "For WRN, we used the same hyperparameters as those of RN18.",
    "sec52.learning-rate": (
        "The learning rates of SGD and EnSGD are set to 0.1 and divided by 10 at the 100-th and 150-th epoch,"
    ),
    "appe.svhn-eta": (
        "The learning rates of SGD and EntropySGD are set to 0.01 and divided by 10 at the 100-th and 150-th "
        "epoch,"
    ),
    "sec52.early-stopping": (
        "we used early stopping by evaluating test robust accuracies against PGD (20-iteration)."
    ),
    "appe.awp-005": (
        r"Note that we found that AWP with $\gamma_A = 0.005$ does not outperform AWP with $\gamma_A = 0.01$ "
        "when using SGD."
    ),
    "appe.figure-number": "in which other results are the same as those in Figure 1 of the main paper.",
    "appf.trades-epsilon": r"The L_∞ norm of the perturbation $\varepsilon = 8/255$ at training time.",
    "sec53.faster-higher": (
        "This figure shows that EnSGD accelerates the training and achieves higher accuracies than SGD."
    ),
    "sec53.because-smooth": (
        "This is because EnSGD improves the smoothness of adversarial loss as shown in Theorem 3."
    ),
    "sec53.almost-all-cases": (
        "For almost all cases, EnSGD outperforms SGD: i.e., AT + EnSGD outperforms AT, and AWP + EnSGD "
        "outperforms AWP."
    ),
    "sec53.difference": "Though AWP outperforms AWP+EnSGD on CIFAR100, the difference is just 0.05.",
    "sec53.similar": (
        "In addition, AT with EnSGD is faster than AWP with SGD although they achieve similarly robust "
        "performance against AutoAttack in Tab. 1."
    ),
    "definition2.eq74": "can be approximated by using the spectral norm of the Hessian matrix: [...]",
    "appb.required": (
        "Lipschitz continuity of the gradient of an objective function is required for effective "
        "optimization by gradient-based methods [1]."
    ),
    "theorem3.eq75-converse": (
        "From Eq. (75), the loss of EntropySGD is smooth if the spectral norm of the Hessian matrix of loss "
        "are bounded above by finite values."
    ),
    "theorem3.finite-elements": (
        r"Thus, if all elements of Σ_{θ} are finite values, $\gamma + \gamma^2 \|\Sigma_{\theta}\|_F$ becomes "
        "a Lipschitz constant."
    ),
    "eq76": "AWP trains models by minimizing the following objective function: [...]",
    "eq76.region": (
        r"$\mathcal{V}_l = \{\mathbf{v}_l | \|\mathbf{v}_l\| = \gamma_A \|\boldsymbol{\theta}_l\|\}$ for the "
        "l-th layer parameter"
    ),
    "eq76.overhead": "AWP requires about 8% training time overhead.",
    "eq76.wording": (
        "AWP can flatten the loss landscape and achieve good generative performance for adversarial training."
    ),
    "appc.fig4-caption": (
        "Clean loss (a) has the Lipschitz continuous gradient while the gradient of adversarial loss with "
        "L_2 (b) is not smooth at [...], and the gradient of adversarial loss with L_∞ (c) is not smooth at "
        "[...]."
    ),
    "appc.theta2-zero": (
        r"In Fig. 4, we set the label as $y_n = \text{sign}(x_{n,1})$, and thus, the optimal θ_2^* for "
        "adversarial loss is 0"
    ),
    "appc.kink-at-optimum": (
        "In this case, adversarial training with L_∞ constraints can suffer from the non-smoothness of the "
        "loss function because the Lipschitz condition does not hold."
    ),
    "appc.optimal-points": (
        r"Note that the optimal points of $-F(\boldsymbol{\theta})$ are the same as the original loss "
        r"functions $L(\boldsymbol{\theta})$."
    ),
    "appc.indices": (
        r"the second feature of adversarial examples $x_{n,2} + \delta_{i,2}$ only degrades the "
        "classification performance."
    ),
    "eq77": "This update rule corresponds to the Newton method under the diagonal approximation of",
    "alg1.line1": "Current weights θ, Langevin iterations L",
    "alg1.line7": (
        r"$\delta_i \leftarrow \Pi_\varepsilon(\delta_i + \eta_{\text{P}} \text{sgn}(\nabla_{\delta} "
        r"\ell(\mathbf{x}_i + \delta, y_i, \theta')))$ for $i = 1, \dots, |D_l|$"
    ),
    "alg1.line10": (
        r"$d\theta' \leftarrow -\frac{1}{|D_l|} \sum_i \nabla_{\theta'} \ell(\mathbf{x}_i + \delta_i, y_i, "
        r"\theta' + \mathbf{v}) - \gamma(\theta - \theta')$"
    ),
    "alg1.line15": r"for $j \leq d$ do",
    "alg1.line18": r"$\theta \leftarrow \theta - \eta\gamma \mathbf{h} \odot (\theta - \bar{\theta})$",
    "alg1.line11": (
        r"$\theta' \leftarrow \theta' - \eta' d\theta' + \sqrt{\eta'} \varepsilon_E \mathcal{N}(\mathbf{0}, "
        r"\mathbf{I})$"
    ),
    "alg1.line16-variance": (
        r"$\bar{\xi}$ is estimated $\mathbb{E}_{p(\theta')}[\theta' \odot \theta']$ by using SGLD, and the "
        r"variance is computed at line 16 as $\bar{\xi}_j - \bar{\theta}_j^2$."
    ),
    "alg1.cost": (
        "Note that the computation cost of EntropySGD and 2nd order EntropySGD are almost the same as SGD."
    ),
    "appf.filter-normalization": (
        "Figure 7 shows adversarial loss against perturbations of the parameter by using Filter "
        "Normalization [21]"
    ),
    "appf.landscapes": (
        "Since we use early stopping for all methods, no loss landscapes are very sharp, which coincides "
        "with the results of early stopping in [32]."
    ),
    "appf.table2": (
        "TRADES with EnSGD (+EnSGD) outperforms TRADES with SGD (TRADES), and TRADES with AWP and EnSGD "
        "(+AWP+EnSGD) outperforms TRADES with AWP and SGD (+AWP)."
    ),
    "appf.early-stage": (
        "This result indicates that non-smoothness particularly affects training at the early stage of "
        "training in which the learning rate is large,"
    ),
    "appf.second-order-same": (
        "we can see that 2ndEnSGD performs almost the same as EnSGD. This might be because the diagonal "
        "approximation in 2ndEnSGD is not very effective."
    ),
}
