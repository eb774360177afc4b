"""Can torch use the GPU: was it built for one, and is the driver new enough for that build?"""

from __future__ import annotations

from truetune.core.records import Environment, Finding
from truetune.stages.doctor.cuda_drivers import AS_OF, OLDEST_DRIVER


def check_accelerator(environment: Environment) -> list[Finding]:
    """Findings where there is a GPU that torch, as installed, cannot use."""
    if not environment.gpus or environment.torch_build is None:
        return []
    return _cpu_build(environment) if environment.torch_build == "cpu" else _old_driver(environment)


def _cpu_build(environment: Environment) -> list[Finding]:
    gpu = environment.gpus[0].name
    return [
        Finding(
            code="doctor.torch.cpu_build",
            severity="warn",
            message=f"there is a GPU ({gpu}), but torch is built for CPUs only: training will not use it",
            evidence={"gpu": gpu, "torch": environment.packages.get("torch")},
            fix="pip install --force-reinstall torch   # then: truetune doctor",
        )
    ]


def _old_driver(environment: Environment) -> list[Finding]:
    gpu, build = environment.gpus[0], str(environment.torch_build)
    driver, cuda = gpu.driver.partition(".")[0], build.partition(".")[0]
    oldest = OLDEST_DRIVER.get(int(cuda)) if cuda.isdigit() else None
    if oldest is None or not driver.isdigit() or int(driver) >= oldest:
        return []
    fitting = [generation for generation, needed in OLDEST_DRIVER.items() if needed <= int(driver)]
    other = f", or install a torch built for CUDA {max(fitting)}.x" if fitting else ""
    return [
        Finding(
            code="doctor.driver.too_old",
            severity="block",
            message=f"torch is built for CUDA {build}, which needs NVIDIA driver {oldest} or newer; this is {gpu.driver}",
            evidence={"driver": gpu.driver, "cuda": build, "oldest_driver": oldest, "table_as_of": AS_OF},
            fix=f"sudo apt install nvidia-driver-{oldest}   # then reboot{other}",
        )
    ]
