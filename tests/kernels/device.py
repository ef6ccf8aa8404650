"""A stand-in for CuPy without a GPU: arrays that refuse what those of CuPy refuse, on Numba's simulator of CUDA.

CuPy's arrays never turn into arrays of NumPy by themselves, and do not mix with them. What a kernel or a method gives
back as a :class:`DeviceArray` has therefore never been on the host on its way, unless by ``get()``, which is counted.
"""

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from riemopt.kernels.targets import cupy as target

SCALARS = {int, float, bool, complex, *np.sctypeDict.values()}
copies = 0
"""How many arrays with axes have been copied to the host."""


class DeviceArray(NDArrayOperatorsMixin):
    """An array that lies on a device, as it were."""

    def __init__(self, array):
        self.host = np.asarray(array)

    __cuda_array_interface__ = property(lambda self: {"shape": self.shape})
    shape = property(lambda self: self.host.shape)
    ndim = property(lambda self: self.host.ndim)
    size = property(lambda self: self.host.size)
    dtype = property(lambda self: self.host.dtype)
    T = property(lambda self: DeviceArray(self.host.T))

    def get(self):
        global copies
        copies += self.ndim > 0
        return self.host.copy()

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **kwargs):
        if method != "__call__" or not all(isinstance(x, DeviceArray) or type(x) in SCALARS for x in (*inputs, *out)):
            return NotImplemented
        with np.errstate(all="ignore"):
            result = ufunc(*map(on_host, inputs), **({"out": tuple(map(on_host, out))} if out else {}), **kwargs)
        return out[0] if out else on_device(result)

    def __array_function__(self, function, types, args, kwargs):
        if function in (np.array, np.asarray):
            return Arrays.asarray(*args, **kwargs)
        if not set(types) <= {DeviceArray}:
            raise TypeError(f"np.{function.__name__} of an array of CuPy and one of NumPy")
        if "device" in kwargs:  # NumPy gives it to np.full(..., like=array) and np.eye(..., like=array)
            raise TypeError(f"cupy.{function.__name__} has no argument 'device'")
        if function is np.where and not any(isinstance(value, DeviceArray) for value in args[1:]):
            raise TypeError("the precision of cupy.where between two numbers depends on the numbers")
        with np.errstate(all="ignore"):
            result = function(*map(on_host, args), **{name: on_host(value) for name, value in kwargs.items()})
        return tuple(map(on_device, result)) if isinstance(result, tuple) else on_device(result)

    def __getattr__(self, name):
        if name not in ("all", "any", "argmax", "astype", "copy", "max", "mean", "min", "ravel", "reshape", "sum"):
            raise AttributeError(name)
        return lambda *args, **kwargs: on_device(getattr(self.host, name)(*args, **kwargs))

    def tolist(self):
        return self.get().tolist()

    def item(self):
        return self.get().item()

    def __getitem__(self, key):
        return DeviceArray(self.host[on_host(key)])

    def __setitem__(self, key, value):
        if not (isinstance(value, DeviceArray) or type(value) in SCALARS):
            raise TypeError(f"CuPy does not take {type(value)} into its arrays")
        self.host[on_host(key)] = on_host(value)

    def __len__(self):
        return len(self.host)

    def __iter__(self):
        return map(DeviceArray, self.host)

    def __bool__(self):
        return bool(self.host)

    def __int__(self):
        return int(self.host)

    def __float__(self):
        return float(self.host)

    def __repr__(self):
        return f"DeviceArray({self.host})"


def on_host(value):
    """What a function of NumPy takes for an argument of CuPy's."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(on_host, value))
    if isinstance(value, np.ndarray):
        raise TypeError("CuPy does not take arrays of NumPy")
    return value.host if isinstance(value, DeviceArray) else value


def on_device(value):
    """What CuPy gives where NumPy gives an array or one of its numbers."""
    return DeviceArray(value) if isinstance(value, (np.ndarray, np.generic)) else value


class Arrays:
    """The functions of the module ``cupy`` that are called by name."""

    @staticmethod
    def asarray(array, dtype=None):
        return DeviceArray(np.asarray(array.host if isinstance(array, DeviceArray) else array, dtype=dtype))

    @staticmethod
    def broadcast_to(array, shape):
        return DeviceArray(np.broadcast_to(on_host(array), shape))

    @staticmethod
    def empty(shape, dtype=float):
        return DeviceArray(np.full(shape, 99, dtype=dtype))

    @staticmethod
    def full(shape, value, dtype=float):
        return DeviceArray(np.full(shape, value, dtype=dtype))

    @staticmethod
    def stack(arrays):
        return DeviceArray(np.stack([on_host(array) for array in arrays]))

    @staticmethod
    def zeros(shape, dtype=float):
        return DeviceArray(np.zeros(shape, dtype=dtype))


class Simulator(target._Simulator):
    """Numba's simulator on such arrays."""

    def __init__(self):
        super().__init__()
        self.arrays = Arrays

    def _launch(self, kernel, blocks, threads, arguments):
        # reads and writes the memory of the arrays themselves
        super()._launch(kernel, blocks, threads, [on_host(argument) for argument in arguments])


def simulate():
    """Let ``backend="cupy"`` run on the simulator from now on."""
    simulator = Simulator()
    target._device = lambda: simulator
