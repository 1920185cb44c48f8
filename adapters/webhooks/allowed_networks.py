"""The addresses to which a webhook may be sent: public ones, and those of the networks that the settings name."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")


def is_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether this numeric address is public or in one of these networks.

    The address to which it is routed decides, so an embedded address of version 4 is checked in its place.
    """
    target = _target(ip_address(address))
    return _is_public(target) or any(target in network for network in networks)


def _target(address: Address) -> Address:
    """The address of version 4 that is embedded in one of version 6, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    return isinstance(address, IPv4Address) or address in GLOBAL_UNICAST
