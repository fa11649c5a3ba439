import torch

from vitral.nn.norms import LayerNorm, RMSNorm


def test_layer_norm_leaves_mean_zero_and_deviation_one() -> None:
    x = torch.randn(3, 5, 64) * 7 + 2
    y = LayerNorm(64)(x)
    torch.testing.assert_close(y.mean(-1), torch.zeros(3, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(-1, unbiased=False), torch.ones(3, 5), atol=1e-4, rtol=0)


def test_layer_norm_without_a_bias() -> None:
    norm, reference = LayerNorm(16, bias=False), torch.nn.LayerNorm(16, bias=False)
    assert [name for name, _ in norm.named_parameters()] == ["weight"]
    with torch.no_grad():
        for module in (norm, reference):
            module.weight.copy_(torch.linspace(0.5, 2, 16))
    x = torch.randn(4, 16)
    torch.testing.assert_close(norm(x), reference(x), atol=1e-6, rtol=1e-6)


def test_rms_norm_is_its_equation() -> None:
    y = RMSNorm(4)(torch.tensor([[3.0, 4.0, 0.0, 0.0]]))
    torch.testing.assert_close(y, torch.tensor([[1.2, 1.6, 0.0, 0.0]]), atol=1e-5, rtol=0)


def test_rms_norm_equals_torchs() -> None:
    norm, reference = RMSNorm(16, 1e-5), torch.nn.RMSNorm(16, 1e-5)
    with torch.no_grad():
        for module in (norm, reference):
            module.weight.copy_(torch.linspace(0.5, 2, 16))
    x = torch.randn(4, 16)
    torch.testing.assert_close(norm(x), reference(x), atol=1e-6, rtol=1e-6)
