//! Which addresses are called.
//!
//! They come from chain data, so anybody may have put anything there. Only public unicast is called; on development
//! chains also loopback and private networks. IPv6 addresses that carry an IPv4 address within are refused whatever they
//! carry: whoever has a public one announces it as such.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What an address is that is not public unicast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `0.0.0.0` and `::`.
    Unspecified,
    /// The rest of `0.0.0.0/8`.
    ThisNetwork,
    /// This machine.
    Loopback,
    /// RFC 1918.
    Private,
    /// Unique local (`fc00::/7`) and the site-local form before it.
    UniqueLocal,
    /// One link.
    LinkLocal,
    /// Shared by a carrier's customers (`100.64.0.0/10`).
    CarrierNat,
    /// Groups.
    Multicast,
    /// All hosts.
    Broadcast,
    /// For examples.
    Documentation,
    /// For measurements.
    Benchmarking,
    /// Set aside by the IETF, or not given out.
    Reserved,
    /// IPv4 within IPv6: mapped or compatible.
    Mapped,
    /// IPv4 within IPv6: 6to4, Teredo, ISATAP.
    Tunnelled,
    /// IPv4 within IPv6: NAT64.
    Translated,
}

impl Kind {
    /// Whether it is called where `allow_private_ips` is set.
    #[must_use]
    pub const fn is_private(self) -> bool {
        matches!(self, Self::Loopback | Self::Private | Self::UniqueLocal | Self::LinkLocal | Self::CarrierNat)
    }

    /// How a development chain calls its own machine all the same.
    const fn hint(self) -> &'static str {
        if self.is_private() {
            "; validator.allow_private_ips = true calls this one, on a development chain"
        } else {
            ""
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::ThisNetwork => "of \"this network\"",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::UniqueLocal => "unique local",
            Self::LinkLocal => "link-local",
            Self::CarrierNat => "behind a carrier's NAT",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Documentation => "for documentation",
            Self::Benchmarking => "for benchmarks",
            Self::Reserved => "reserved",
            Self::Mapped => "IPv4 mapped into IPv6",
            Self::Tunnelled => "IPv4 tunnelled in IPv6",
            Self::Translated => "IPv4 translated to IPv6",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCalled {
    /// It is no public unicast address.
    #[error("{0} is {1}: only public addresses are called{hint}", hint = .1.hint())]
    Kind(IpAddr, Kind),
    /// Nobody listens there.
    #[error("port 0 is no port")]
    Port,
}

/// Whether `address` may be called.
///
/// # Errors
/// Why not.
pub fn check(address: SocketAddr, allow_private: bool) -> Result<(), NotCalled> {
    if address.port() == 0 {
        return Err(NotCalled::Port);
    }
    match kind(address.ip()) {
        Some(kind) if !(allow_private && kind.is_private()) => Err(NotCalled::Kind(address.ip(), kind)),
        _ => Ok(()),
    }
}

/// What `ip` is; `None` for public unicast.
#[must_use]
pub fn kind(ip: IpAddr) -> Option<Kind> {
    match ip {
        IpAddr::V4(ip) => kind_v4(ip),
        IpAddr::V6(ip) => kind_v6(ip),
    }
}

/// IANA's registry of special IPv4 addresses. The first match counts.
const V4: [(Ipv4Addr, u32, Kind); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 32, Kind::Unspecified),
    (Ipv4Addr::new(0, 0, 0, 0), 8, Kind::ThisNetwork),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Kind::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Kind::CarrierNat),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Kind::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Kind::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Kind::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Kind::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Kind::Documentation),
    // Relays of 6to4, withdrawn.
    (Ipv4Addr::new(192, 88, 99, 0), 24, Kind::Reserved),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Kind::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Kind::Benchmarking),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Kind::Documentation),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Kind::Documentation),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Kind::Multicast),
    (Ipv4Addr::new(255, 255, 255, 255), 32, Kind::Broadcast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Kind::Reserved),
];

fn kind_v4(ip: Ipv4Addr) -> Option<Kind> {
    let within = |(net, length, _): &&(Ipv4Addr, u32, Kind)| (ip.to_bits() ^ net.to_bits()) >> (32 - length) == 0;
    V4.iter().find(within).map(|(_, _, kind)| *kind)
}

const fn v6(a: u16, b: u16, c: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)
}

/// IANA's registry of special IPv6 addresses, and what is not given out. The first match counts.
const V6: [(Ipv6Addr, u32, Kind); 15] = [
    (Ipv6Addr::UNSPECIFIED, 128, Kind::Unspecified),
    (Ipv6Addr::LOCALHOST, 128, Kind::Loopback),
    // IPv4-compatible, ::ffff:0:0/96 mapped, ::ffff:0:0:0/96 of SIIT, and all around them.
    (v6(0, 0, 0), 64, Kind::Mapped),
    // 64:ff9b::/96, and the local 64:ff9b:1::/48.
    (v6(0x64, 0xff9b, 0), 32, Kind::Translated),
    (v6(0xfc00, 0, 0), 7, Kind::UniqueLocal),
    (v6(0xfec0, 0, 0), 10, Kind::UniqueLocal),
    (v6(0xfe80, 0, 0), 10, Kind::LinkLocal),
    (v6(0xff00, 0, 0), 8, Kind::Multicast),
    (v6(0x2001, 0, 0), 32, Kind::Tunnelled),
    (v6(0x2001, 2, 0), 48, Kind::Benchmarking),
    // Protocol assignments: ORCHID, anycast and the like.
    (v6(0x2001, 0, 0), 23, Kind::Reserved),
    (v6(0x2001, 0xdb8, 0), 32, Kind::Documentation),
    (v6(0x2002, 0, 0), 16, Kind::Tunnelled),
    (v6(0x3fff, 0, 0), 20, Kind::Documentation),
    // The first network of 6bone, withdrawn.
    (v6(0x3ffe, 0, 0), 16, Kind::Reserved),
];

fn kind_v6(ip: Ipv6Addr) -> Option<Kind> {
    let within = |(net, length, _): &&(Ipv6Addr, u32, Kind)| (ip.to_bits() ^ net.to_bits()) >> (128 - length) == 0;
    if let Some((_, _, kind)) = V6.iter().find(within) {
        return Some(*kind);
    }
    // ISATAP may sit below any network.
    if matches!(ip.segments()[4], 0 | 0x0200) && ip.segments()[5] == 0x5efe {
        return Some(Kind::Tunnelled);
    }
    // Nothing outside of 2000::/3 is global unicast.
    (ip.segments()[0] & 0xe000 != 0x2000).then_some(Kind::Reserved)
}
