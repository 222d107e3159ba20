"""Count of network evaluations, the cost by which samplers are compared."""

import threading

from torch import Tensor

from hw2.diffusion.guidance import Network


class NetworkCalls:
    """Counts the images that pass through a network, from any number of threads."""

    def __init__(self) -> None:
        self.images = 0
        self._lock = threading.Lock()

    def counted(self, network: Network) -> Network:
        """The same network, which counts every image that it evaluates."""

        def call(xt: Tensor, t: Tensor, labels: Tensor) -> Tensor:
            with self._lock:
                self.images += len(xt)
            return network(xt, t, labels)

        return call

    def per_image(self, count: int) -> int:
        """Network calls for each of `count` sampled images, which all cost the same.

        Raises:
            ValueError: if the calls do not divide evenly.
        """
        calls, rest = divmod(self.images, count)
        if rest:
            raise ValueError(f"{self.images} network calls are not a multiple of {count} images")
        return calls
