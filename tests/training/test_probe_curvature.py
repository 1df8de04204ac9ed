"""The second order of an attack in the probe (training/studies/probe/curvature.py).

Second sources: closed forms of the linear and the quadratic model, the bordered system of Lemma 5's proof solved with
numpy on dense autograd Hessians, attacks found again at displaced weights, and the routes without matrices.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_models import Linear, Quadratic, batch, logistic, output, probed, small_net
from torch.func import functional_call

from training.studies.probe.curvature import second_order
from training.studies.probe.loss import Losses, cross_entropy
from training.studies.probe.region import Face, Region
from training.studies.probe.search import find_attack, polish

EXACT = 1e-6  # relative: a slope of 1e-8 over curvatures of size 0.1 to 10
ROUTES = 1e-5  # relative, of Lanczos' method and conjugate gradients
FD = 1e-3  # relative, of differences of attacks over a step of 1e-6
FD_STEP = 1e-6


def attacked(net, x, y, epsilon, norm, box=(0, 1), loss=cross_entropy):
    losses = Losses(net, x, y, loss)
    region = Region.around(losses.x, epsilon, norm, box)
    found = find_attack(losses, region, restarts=4, seed=0, plain=(epsilon / 4, 10))
    gradients = losses.values_and_gradients(found.delta, torch.arange(len(x)))[1]
    return losses, region, found, region.face(found.delta, gradients)


def bordered(net, x, y, delta, face, row):
    """K of Eq. (22) and [0; B] in the free coordinates, dense, and K's part that is no border."""
    weights = {name: weight.detach() for name, weight in net.named_parameters()}
    names = list(weights)

    def value(point, *parts):
        outputs = functional_call(net, dict(zip(names, parts, strict=True)), point[None])
        return torch.nn.functional.cross_entropy(outputs, y[row : row + 1])

    point = (x + delta)[row]
    blocks = torch.autograd.functional.hessian(value, (point, *weights.values()), vectorize=True)
    hessian = blocks[0][0].numpy()
    cross = np.concatenate([part.flatten(1).numpy() for part in blocks[0][1:]], axis=1)
    free = face.free[row].numpy()
    kept = delta[row].numpy()[free]
    return hessian[np.ix_(free, free)], cross[free], kept, hessian, cross


def test_the_attack_on_the_linear_model_moves_by_epsilon_over_the_norm_of_theta():
    theta, epsilon = torch.tensor([0.6, -0.3, 1.1], dtype=torch.float64), 0.2
    x, y = torch.tensor([[0.1, 0.5, -0.4]], dtype=torch.float64), torch.tensor([1.0])
    one = probed(Linear(theta), x, y, epsilon=epsilon, norm="l2", box=None, loss=logistic).second[0]
    size = float(theta.norm())
    # Lemma 2: the least distance between attacks of theta_1 and theta_2 is epsilon / |theta| times theirs.
    assert one.speed == pytest.approx(epsilon / size, rel=EXACT)
    # There l = s(-u) and the tangent space is orthogonal to theta: A = -mu / epsilon, P B = s'(-u) P.
    slope = float(torch.sigmoid(-(x @ theta) + epsilon * size))
    assert one.c == pytest.approx(slope * size / epsilon, rel=EXACT)
    assert one.cross_tangent == pytest.approx(slope, rel=EXACT)
    assert one.tangent == pytest.approx(epsilon / size, rel=EXACT)
    assert one.regular


def test_a_corner_of_the_linf_ball_does_not_move():
    theta = torch.tensor([0.6, -0.3], dtype=torch.float64)
    x, y = torch.tensor([[0.1, 0.5]], dtype=torch.float64), torch.tensor([1.0])
    one = probed(Linear(theta), x, y, epsilon=0.2, norm="linf", box=None, loss=logistic).second[0]
    assert (one.speed, one.cross_tangent, one.tangent) == (0, 0, 0)
    assert math.isnan(one.c)
    assert one.regular


def test_the_constants_of_an_interior_attack_are_those_of_the_quadratic():
    Q = torch.tensor([[-3.0, 1.0], [1.0, -2.0]], dtype=torch.float64)
    M = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 0.3]], dtype=torch.float64)
    model = Quadratic(Q, M, torch.zeros(2).double(), torch.tensor([0.1, -0.2, 0.3]).double())
    x = torch.zeros(1, 2, dtype=torch.float64)
    one = probed(model, x, torch.zeros(1), epsilon=5, norm="l2", box=None, loss=output).second[0]
    q, m = Q.numpy(), M.numpy()
    c = -np.linalg.eigvalsh(q)[-1]
    assert one.c == pytest.approx(c, rel=EXACT)
    assert one.c_paper == pytest.approx(c, rel=EXACT)
    assert one.top == pytest.approx(-c, rel=EXACT)
    assert one.cross == pytest.approx(np.linalg.norm(m, 2), rel=EXACT)
    assert one.speed == pytest.approx(np.linalg.norm(np.linalg.solve(q, m), 2), rel=EXACT)
    assert one.paper == pytest.approx(np.linalg.norm(m, 2) / c, rel=EXACT)


def test_an_attack_on_a_line_of_maxima_is_told_as_degenerate():
    # -(x1 + x2)^2 / 2: every point of x1 + x2 = 0 is a maximum, as in Fig. 2(f) of the paper.
    Q = -torch.ones(2, 2, dtype=torch.float64)
    model = Quadratic(Q, torch.eye(2).double(), torch.zeros(2).double(), torch.zeros(2).double())
    found = probed(
        model,
        torch.tensor([[0.1, 0.2]]).double(),
        torch.zeros(1),
        epsilon=1,
        norm="l2",
        box=None,
        loss=output,
    )
    assert found.position == ("interior",)
    assert not found.second[0].regular
    assert math.isnan(found.second[0].speed)
    assert found.smoothness is None


@given(seed=st.integers(0, 300), pixels=st.booleans())
@settings(max_examples=10)
def test_on_the_sphere_the_speed_and_lemma_5s_constant_come_from_the_bordered_hessian(seed, pixels):
    net, epsilon = small_net(seed, 5), 0.25
    x, y = batch(seed, 2, 5)
    losses, _, found, face = attacked(net, x, y, epsilon, "l2", (0, 1) if pixels else None)
    for row in range(2):
        if not (found.converged[row] and face.sphere[row] and face.dimension[row]):
            continue
        one = second_order(losses, found.delta[row : row + 1], face.of(torch.tensor([row])), row)
        if not one.regular:
            continue
        hessian, cross, kept, whole, every = bordered(net, x, y, found.delta, face, row)
        outward = kept / epsilon
        mu = float(face.pull[row]) * epsilon
        block = hessian - mu * (np.eye(len(kept)) - np.outer(outward, outward)) / epsilon
        K = np.block([[np.zeros((1, 1)), outward[None]], [outward[:, None], block]])
        moved = np.linalg.solve(K, np.vstack([np.zeros((1, cross.shape[1])), cross]))[1:]
        assert one.speed == pytest.approx(np.linalg.norm(moved, 2), rel=EXACT)
        assert one.c_paper == pytest.approx(np.linalg.svd(K, compute_uv=False)[-1], rel=EXACT)
        assert one.cross == pytest.approx(np.linalg.norm(every, 2), rel=EXACT)
        assert one.top == pytest.approx(np.linalg.eigvalsh(whole)[-1], rel=EXACT)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@given(seed=st.integers(0, 300))
@settings(max_examples=8)
def test_no_speed_exceeds_the_tangent_bound_nor_this_one_the_papers(norm, seed):
    x, y = batch(seed, 3, 6)
    found = probed(small_net(seed, 6), x, y, epsilon=0.3, norm=norm, whole=False)
    for one in found.second:
        assert one is not None
        if one.regular:
            assert one.speed <= one.tangent * (1 + EXACT)
            assert one.cross_tangent <= one.cross * (1 + EXACT)
            if not math.isnan(one.paper):
                assert one.tangent <= one.paper * (1 + EXACT)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("seed", [0, 2, 5])
def test_the_attack_found_again_at_other_weights_has_moved_as_fast_as_said(norm, seed):
    """Along every weight in turn: the differences of the attacks make up D_theta x'."""
    net = small_net(seed, 4, hidden=3)
    x, y = batch(seed, 1, 4)
    losses, region, found, face = attacked(net, x, y, 0.3, norm)
    row = torch.tensor([0])
    one = second_order(losses, found.delta, face, 0)
    columns = []
    for unit in torch.eye(losses.size, dtype=torch.float64):
        ends = []
        for sign in (1, -1):
            with losses.displaced(unit, sign * FD_STEP):
                ends.append(polish(losses, region, found.delta.clone(), row, 1e-12)[0])
        columns.append(((ends[0] - ends[1]) / (2 * FD_STEP))[0].numpy())
    measured = np.linalg.norm(np.array(columns).T, 2)
    assert one.speed == pytest.approx(measured, rel=FD, abs=FD * one.cross)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@given(seed=st.integers(0, 300))
@settings(max_examples=5)
def test_the_route_without_matrices_gives_what_the_matrices_give(norm, seed):
    net, (x, y) = small_net(seed, 8), batch(seed, 2, 8)
    losses, _, found, face = attacked(net, x, y, 0.3, norm)
    for row in range(2):
        point = found.delta[row : row + 1], face.of(torch.tensor([row])), row
        dense, products = second_order(losses, *point), second_order(losses, *point, dense=0)
        assert products.regular == dense.regular
        for name in ("top", "c", "cross", "cross_tangent", "speed"):
            expected = getattr(dense, name)
            assert getattr(products, name) == pytest.approx(expected, rel=ROUTES, abs=1e-8, nan_ok=True)


def test_b_by_a_part_of_the_weights_is_that_part_of_it():
    net, (x, y) = small_net(4, 5), batch(4, 1, 5)
    found = probed(net, x, y, epsilon=0.2, norm="l2", whole=False)
    face_of_all = attacked(net, x, y, 0.2, "l2")
    *_, every = bordered(net, x, y, found.delta, face_of_all[3], 0)
    part = probed(net, x, y, epsilon=0.2, norm="l2", whole=False, parameters=["2.weight"])
    start = sum(weight.numel() for name, weight in net.named_parameters() if name < "2")
    size = net[2].weight.numel()
    assert part.second[0].cross == pytest.approx(np.linalg.norm(every[:, start : start + size], 2), rel=EXACT)


class Wrong(Face):
    """A face whose tangent space is taken for the whole of the free coordinates."""

    def tangent(self, v):
        return torch.where(self.free, v, torch.zeros_like(v))


def test_without_the_projection_onto_the_tangent_space_the_linear_model_moves_otherwise():
    theta = torch.tensor([0.6, -0.3, 1.1], dtype=torch.float64)
    x, y = torch.tensor([[0.1, 0.5, -0.4]], dtype=torch.float64), torch.tensor([1.0])
    losses, _, found, face = attacked(Linear(theta), x, y, 0.2, "l2", None, logistic)
    wrong = Wrong(face.free, face.normal, face.pull, face.excess, face.sphere, face.share)
    expected = 0.2 / float(theta.norm())
    assert second_order(losses, found.delta, face, 0, dense=0).speed == pytest.approx(expected, rel=ROUTES)
    assert second_order(losses, found.delta, wrong, 0, dense=0).speed != pytest.approx(expected, rel=0.01)


def test_at_the_end_of_plain_pgd_the_constants_are_others():
    net, (x, y) = small_net(7, 6), batch(7, 4, 6)
    losses, region, found, face = attacked(net, x, y, 0.3, "l2")
    rough = region.project(0.3 * torch.nn.functional.normalize(found.delta + 0.1, dim=1))
    other = region.face(rough, losses.values_and_gradients(rough, torch.arange(4))[1])
    for row in range(4):
        one = torch.tensor([row])
        exact = second_order(losses, found.delta[one], face.of(one), row)
        unpolished = second_order(losses, rough[one], other.of(one), row)
        assert unpolished.c != pytest.approx(exact.c, rel=0.01)
