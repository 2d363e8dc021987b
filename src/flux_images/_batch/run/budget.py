"""What may be spent: reserved before a request leaves, and given back only where it surely cost nothing."""

from __future__ import annotations

from decimal import Decimal

from flux_images._errors import ConfigurationError


class Budget:
    """Counts pictures against a cap, over all runs of a folder.

    Args:
        spent: pictures that were or may have been paid for before.
        most: pictures in all, or None.
        price: of one picture, for what is shown and for ``most_cost``.
        most_cost: in the price's money.

    Raises:
        ConfigurationError: the price or the cap is no amount, or a cap of money has no price.
    """

    def __init__(self, spent: int, most: int | None, price: Decimal | None, most_cost: Decimal | None) -> None:
        for name, amount in (("price", price), ("max cost", most_cost), ("max images", most)):
            if amount is not None and not (Decimal(amount).is_finite() and amount >= 0):
                raise ConfigurationError(f"{name}: expected an amount, 0 or more, got {amount}")
        if most_cost is not None and not price:
            raise ConfigurationError("max cost: needs the price of a picture as well, more than 0")
        caps = [most] if most is not None else []
        if most_cost is not None and price:
            caps.append(int(most_cost // price))
        self.most = min(caps, default=None)
        self.price = price
        self.spent = spent

    def reserve(self, pictures: int) -> bool:
        """Take so many; False if the cap does not allow them."""
        if self.most is not None and self.spent + pictures > self.most:
            return False
        self.spent += pictures
        return True

    def release(self, pictures: int) -> None:
        """Give back what surely cost nothing."""
        self.spent -= pictures

    @property
    def left(self) -> int | None:
        """Pictures that may still be bought."""
        return None if self.most is None else max(0, self.most - self.spent)

    def cost(self, pictures: int) -> Decimal | None:
        """Of so many pictures."""
        return None if self.price is None else pictures * self.price
