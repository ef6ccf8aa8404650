"""Every Taylor rule agrees with PyTorch's own derivatives, in forward mode within forward mode and in reverse."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from riemopt.autodiff.torch.linearization import Linearization
from riemopt.autodiff.torch.module import ModuleFunction
from riemopt.autodiff.torch.taylor import RULES

CASES = 3


class Applied(nn.Module):
    """A function of one tensor, moved by parameters along a curve that is no straight line."""

    def __init__(self, function, shape):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.scale, self.shift = (
            nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float64)) for _ in range(2)
        )
        self.function = function
        if isinstance(function, nn.Module):
            function.double()

    def forward(self, x):
        return self.function(0.3 * self.shift + self.scale * self.shift * x)


def made(kind, *args, **kwargs):
    torch.manual_seed(2)
    module = kind(*args, **kwargs)
    for buffer in module.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    return module.eval()


LINE, ROW, IMAGE, VOLUME = (5,), (4, 6), (4, 6, 6), (2, 4, 4, 4)

MODULES = {
    "Linear": (made(nn.Linear, 5, 3), LINE),
    "Linear without bias": (made(nn.Linear, 5, 3, bias=False), LINE),
    "Linear of rows": (made(nn.Linear, 6, 3), ROW),
    "Conv1d": (made(nn.Conv1d, 4, 3, 3, stride=2, padding=1), ROW),
    "Conv2d": (made(nn.Conv2d, 4, 4, 3, dilation=2, groups=2, padding="same"), IMAGE),
    "Conv2d circular": (made(nn.Conv2d, 4, 2, 3, padding=1, padding_mode="circular", bias=False), IMAGE),
    "Conv3d": (made(nn.Conv3d, 2, 3, 2), VOLUME),
    "ConvTranspose1d": (made(nn.ConvTranspose1d, 4, 3, 3, stride=2), ROW),
    "ConvTranspose2d": (made(nn.ConvTranspose2d, 4, 3, 3, groups=1, output_padding=1, stride=2), IMAGE),
    "ConvTranspose3d": (made(nn.ConvTranspose3d, 2, 3, 2), VOLUME),
    "AvgPool1d": (nn.AvgPool1d(2), ROW),
    "AvgPool2d": (nn.AvgPool2d(2, stride=1, padding=1, count_include_pad=False), IMAGE),
    "AvgPool3d": (nn.AvgPool3d(2), VOLUME),
    "AdaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(4), ROW),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((2, 3)), IMAGE),
    "AdaptiveAvgPool3d": (nn.AdaptiveAvgPool3d(2), VOLUME),
    "MaxPool1d": (nn.MaxPool1d(2), ROW),
    "MaxPool2d": (nn.MaxPool2d(3, stride=2, padding=1), IMAGE),
    "MaxPool3d": (nn.MaxPool3d(2), VOLUME),
    "AdaptiveMaxPool1d": (nn.AdaptiveMaxPool1d(2), ROW),
    "AdaptiveMaxPool2d": (nn.AdaptiveMaxPool2d(2), IMAGE),
    "AdaptiveMaxPool3d": (nn.AdaptiveMaxPool3d(2), VOLUME),
    "LayerNorm": (made(nn.LayerNorm, (6, 6)), IMAGE),
    "LayerNorm without scale": (made(nn.LayerNorm, 5, elementwise_affine=False), LINE),
    "GroupNorm": (made(nn.GroupNorm, 2, 4), IMAGE),
    "InstanceNorm2d": (made(nn.InstanceNorm2d, 4, affine=True), IMAGE),
    "InstanceNorm2d with statistics": (made(nn.InstanceNorm2d, 4, track_running_stats=True), IMAGE),
    "BatchNorm1d": (made(nn.BatchNorm1d, 5), LINE),
    "BatchNorm2d": (made(nn.BatchNorm2d, 4, affine=False), IMAGE),
    "Dropout": (made(nn.Dropout), LINE),
    "Flatten": (nn.Flatten(), IMAGE),
    "Unflatten": (nn.Unflatten(1, (2, 2)), ROW),
    "Upsample": (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE),
    "PixelShuffle": (nn.PixelShuffle(2), IMAGE),
    "Unfold": (nn.Unfold(2), IMAGE),
    "PReLU": (made(nn.PReLU, 4), ROW),
    "Softmax": (nn.Softmax(-1), LINE),
    "LogSoftmax": (nn.LogSoftmax(-1), LINE),
    "ReLU in place": (nn.ReLU(inplace=True), LINE),
    **{
        kind.__name__: (kind(), LINE)
        for kind in (
            *(nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish),
            *(nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softplus, nn.Softsign, nn.Tanhshrink, nn.Softshrink),
            *(nn.Hardshrink, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish),
        )
    },
}

FIXED = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64)


def overwriting(x):
    y = 3.0 * x
    y += x**2
    y.mul_(2.0)
    y.relu_()
    return y * x


FUNCTIONS = {
    "sums": (lambda x: 1.0 + x - FIXED + (2.0 - x) - (-x) + torch.add(x, x, alpha=3), LINE),
    "rsub": (lambda x: torch.rsub(x, x * x, alpha=2), LINE),
    "products": (lambda x: x * (2.0 * x) * FIXED * x[:, :1], LINE),
    "quotients": (lambda x: x / (2.0 + x * x) + 1.0 / (3.0 + x * x) + x / 7.0, LINE),
    "matmul": (lambda x: x @ x.mT + x.transpose(1, 2) @ x @ torch.ones(4, 4, dtype=x.dtype), (4, 4)),
    "einsum": (lambda x: torch.einsum("nij,njk->nik", x, x.transpose(1, 2)) + torch.einsum("nij->nj", x).sum(), ROW),
    "addmm": (lambda x: torch.addmm(x[:, :3], x, x.t() @ x[:, :3], beta=2.0, alpha=0.5), LINE),
    "powers": (lambda x: x**3 + torch.sqrt(1.0 + x * x) + torch.rsqrt(2.0 + x**2) + x.square(), LINE),
    "reciprocal": (lambda x: torch.reciprocal(2.0 + x * x), LINE),
    "exponentials": (lambda x: torch.exp(x) + torch.expm1(x) + torch.log(2.0 + x * x) + torch.log1p(x * x), LINE),
    "trigonometry": (lambda x: torch.sin(x) * torch.cos(x), LINE),
    "abs and clamp": (lambda x: x.abs() * x + x.clamp(-0.5, 0.7) * x + x.clamp(min=0.1), LINE),
    "relu6": (F.relu6, LINE),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), LINE),
    "softplus, steep": (lambda x: F.softplus(x, beta=3.0, threshold=2.0), LINE),
    "celu": (lambda x: F.celu(x, 0.7) + F.elu(x, 1.3), LINE),
    "logsumexp": (lambda x: torch.logsumexp(x, -1, keepdim=True) * x + x.logsumexp(-1)[:, None], LINE),
    "shapes": (
        lambda x: (
            x.reshape(x.shape[0], 6, 4).permute(0, 2, 1).flip(1).view_as(x).contiguous().unsqueeze(1).squeeze(1)
            + x.new_ones(1, 4, 6)
        ),
        ROW,
    ),
    "parts": (lambda x: torch.cat([*x.chunk(2, 1), x[:, 1:3], torch.zeros_like(x)], 1) * 2.0, ROW),
    "stacks": (lambda x: torch.stack(x.unbind(1), -1).mean((1, 2)) + x.split([1, 3], 1)[1].sum((1, 2)), ROW),
    "pad": (lambda x: F.pad(x, (1, 2), value=3.0) ** 2, ROW),
    "choices": (lambda x: torch.where(x > 0, x * x, 1.0) + x.where(x < 1, x**2) + x.masked_fill(x > 0.3, 2.0), LINE),
    "embedding": (lambda x: F.embedding(torch.tensor([[0, 2], [1, 1], [2, 0]]), x.flatten(1).t() @ x.flatten(1)), LINE),
    "attention": (lambda x: F.scaled_dot_product_attention(x, x.flip(1), x * x), ROW),
    "causal attention": (lambda x: F.scaled_dot_product_attention(x, x.flip(1), x * x, is_causal=True), ROW),
    "masked attention": (
        lambda x: F.scaled_dot_product_attention(x, x, x, attn_mask=torch.eye(4, dtype=torch.float64), scale=0.3),
        ROW,
    ),
    "weight norm": (lambda x: torch._weight_norm(x[0], x[1, :, :1] * x[2, :, 1:2], 0), ROW),
    "norm of channels": (lambda x: torch._weight_norm(x, x.sum((0, 2), keepdim=True), 1), ROW),
    "in place": (overwriting, LINE),
    "detached": (lambda x: x * x.detach(), LINE),
    "max with places": (lambda x: F.max_pool1d(x, 2, return_indices=True)[0] ** 2, ROW),
}

# what PyTorch 2.13 gets wrong (https://github.com/pytorch/pytorch/issues/196700) or does not do
NOT_TO_BE_HAD = {
    **{name: ["forward"] for name in ("LayerNorm", "LayerNorm without scale", "GroupNorm", "InstanceNorm2d")},
    "Hardsigmoid": ["forward", "reverse"],
    "weight norm": ["forward", "reverse"],
    "norm of channels": ["forward", "reverse"],
    "ConvTranspose2d": ["reverse"],
}


def linearized(name, **options):
    function, shape = {**MODULES, **FUNCTIONS}[name]
    torch.manual_seed(0)
    data = torch.randn((CASES, *shape), dtype=torch.float64)
    network = ModuleFunction(Applied(function, shape))
    return network, Linearization(network, network.start, data, **options)


@pytest.mark.parametrize("name", [*MODULES, *FUNCTIONS])
def test_two_derivatives_along_a_line_are_those_of_forward_and_reverse_mode(name):
    network, here = linearized(name)
    assert not here.program.obstacle
    v = torch.randn(network.start.shape, dtype=torch.float64)
    first, second = here.push_twice(v)
    torch.testing.assert_close(here.push(v), first, rtol=1e-12, atol=1e-12)
    ways = {"forward", "reverse"}.difference(NOT_TO_BE_HAD.get(name, ()))
    if not ways:
        before, after = (
            Linearization(network, network.start + step * v, here.data, recorded=False).z for step in (-1e-4, 1e-4)
        )
        torch.testing.assert_close(first, (after - before) / 2e-4, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(second, (after - 2.0 * here.z + before) / 1e-8, rtol=1e-5, atol=1e-5)
    for way in ways:
        other = linearized(name, way=way, recorded=False)[1]
        torch.testing.assert_close(here.z, other.z, rtol=1e-12, atol=1e-12)
        for found, expected in zip((first, second), other.push_twice(v), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_every_rule_is_tested():
    seen = set()
    for name in (*MODULES, *FUNCTIONS):
        seen.update(RULES[instruction.func] for instruction in linearized(name)[1].program.instructions)
    missing = {rule.__qualname__ for rule in set(RULES.values()) - seen}
    assert not missing
