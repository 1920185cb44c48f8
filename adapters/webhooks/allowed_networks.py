"""Which addresses may be called: public ones, and those of networks that somebody has named."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")


def may_be_called(address: str, networks: Sequence[Network]) -> bool:
    """Whether this numeric address is public or of one of these networks. What it leads to counts, however written."""
    meant = _meant(ip_address(address))
    return _is_public(meant) or any(meant in network for network in networks)


def _meant(address: Address) -> Address:
    """The address of version 4 that one of version 6 leads to, where it does; else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    return isinstance(address, IPv4Address) or address in GLOBAL_UNICAST
