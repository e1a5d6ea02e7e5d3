/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_schema.c - the table of all keys; see conf_schema.h.
 *
 * Order is the man page's.  Help texts are for an operator: what the key does,
 * not how; Sealane is "the relay".  Bounds are ours unless an RFC is named. */
#include "base/conf_schema.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/ipc/ipc.h"

#define KIB	1024ull
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)
#define SEC	1000ull
#define MIN	(60 * SEC)
#define HOUR	(60 * MIN)
#define DAY	(24 * HOUR)

/* Where a key's value goes: a member, or a list's pointer and its count. */
#define AT(type, member)						\
	.offset = offsetof(struct type, member),			\
	.size = sizeof(((struct type *)0)->member)
#define LIST_AT(type, member, count)					\
	.offset = offsetof(struct type, member),			\
	.offset2 = offsetof(struct type, count)
#define VIA_AT(type, member, flag)	LIST_AT(type, member, flag)
#define ARRAY_AT(member, count, element, name)				\
	.offset = offsetof(struct conf, member),			\
	.offset2 = offsetof(struct conf, count),			\
	.size = sizeof(struct element),					\
	.label = offsetof(struct element, name)

#define TIMEOUT(name, member, dflt, text)				\
	{ .block = "relay.timeout", .key = name, .type = CONF_DURATION,	\
	  .min = 100, .max = 1 * DAY, .deflt = dflt,			\
	  AT(conf, relay.timeout.member), .help = text }

#define SOURCE_AT(type, member)						\
	.offset = offsetof(struct type, member.source4),		\
	.offset2 = offsetof(struct type, member.source6),		\
	.label = offsetof(struct type, member.has_source)

#define LATER(where, name, text)					\
	{ .block = where, .key = name, .type = CONF_LATER, .help = text }

const struct conf_row conf_rows[] = {
	{ .block = "", .key = "hostname", .type = CONF_HOST,
	  .deflt_text = "the machine's name, fully qualified where "
	      "/etc/hosts knows it so", AT(conf, hostname),
	  .help = "The relay's own name: in the greeting, in EHLO to others, "
	      "in Received: and in the certificate it makes.  MX hosts of "
	      "this name, or with an address of this machine, are this relay: "
	      "they and all worse ones are left out, and where none is left "
	      "the mail is returned as looping (5.4.6)." },

	{ .block = "", .key = "postmaster", .type = CONF_MAILBOX_OPT,
	  .deflt_text = "postmaster in the accept domain of hostname's own or "
	      "nearest name, else in the first one of the alphabet; patterns "
	      "and discard: do not count",
	  AT(conf, postmaster),
	  .help = "Who gets what is sent to <Postmaster> and to postmaster at "
	      "hostname, where accept does not have it. Everybody may write "
	      "there, whatever relay-from and recipients say (RFC 5321 sec "
	      "4.5.1)." },

	{ .block = "", .key = "listen", .type = CONF_LABELLED, .min = 0,
	  .max = 64, ARRAY_AT(listens, nlistens, conf_listen, label),
	  .deflt_text = "127.0.0.1:25 and [::1]:25",
	  .help = "A listening socket. The label is for you; it shows in "
	      "messages. With no listen block the relay listens on "
	      "127.0.0.1:25 and [::1]:25." },
	{ .block = "listen", .key = "address", .type = CONF_ADDRESS,
	  .deflt = "\"127.0.0.1:25\"", AT(conf_listen, address),
	  .help = "Address and port; the port is 25 when left out. \"[::]\" "
	      "listens on all addresses, IPv4 too; \"0.0.0.0\" on all IPv4 "
	      "addresses." },
	{ .block = "listen", .key = "relay-from", .type = CONF_PREFIXES,
	  .deflt_text = "loopback clients on a loopback address, nobody on "
	      "any other",
	  LIST_AT(conf_listen, relay_from, nrelay_from),
	  .help = "Networks and addresses whose clients may send to anywhere. "
	      "All others may send to the domains in accept only." },
	{ .block = "listen", .key = "tls", .type = CONF_WORD,
	  .words = "starttls|none|required|implicit",
	  .deflt = "\"starttls\"", AT(conf_listen, tls),
	  .help = "starttls offers STARTTLS; none does not; required refuses "
	      "mail on connections without TLS, which a server for the "
	      "public must not do (RFC 3207 sec 4); implicit begins with TLS, "
	      "ahead of the greeting (RFC 8314 sec 3), as on port 465." },
	{ .block = "listen", .key = "client-certificates", .type = CONF_WORD,
	  .words = "none|request", .deflt_text = "as in tls",
	  AT(conf_listen, client_certificates),
	  .help = "As tls.client-certificates, for this socket." },
	{ .block = "listen", .key = "greeting-name", .type = CONF_HOST,
	  .deflt_text = "hostname", AT(conf_listen, greeting_name),
	  .help = "What the relay calls itself to clients of this socket: in "
	      "the greeting, the reply to EHLO and Received:." },
	{ .block = "listen", .key = "xforward", .type = CONF_BOOL,
	  .deflt = "false", AT(conf_listen, xforward),
	  .help = "Whether clients that may send to anywhere, and those on "
	      "this machine, may name the client that they have a message "
	      "from, as Postfix does by XFORWARD. It is for the log, where it "
	      "shows as xname, xaddr and so on, and for the history, whose "
	      "client of the message it is; nothing is allowed by it, and TLS "
	      "is that of the connection." },
	LATER("listen", "auth", "Offer AUTH."),
	LATER("listen", "proxy", "Expect the PROXY protocol."),

	{ .block = "", .key = "accept", .type = CONF_BLOCK,
	  .help = "Which domains mail is taken for from anyone." },
	{ .block = "accept", .key = "domain", .type = CONF_DOMAINS, .min = 0,
	  .max = 100000, ARRAY_AT(accepts, naccepts, conf_accept, pattern),
	  .deflt_text = "none",
	  .help = "Mail for these domains is taken from anyone." },
	{ .block = "accept.domain", .key = "to", .type = CONF_HOP,
	  AT(conf_accept, to),
	  .required = "`to` is missing: say where this domain's mail goes, "
	      "such as to = \"smtp:[192.0.2.5]:25\"",
	  .help = "Where it goes. smtp:[HOST]:PORT connects to that host or "
	      "address, smtp:DOMAIN to the MX hosts of that domain; "
	      "lmtp:unix:PATH and lmtp:[HOST]:PORT (24 when left out) to a mail "
	      "store by LMTP (RFC 2033); discard: throws the mail away. The "
	      "relay's user _sealane-relay needs leave to connect to the "
	      "socket at PATH." },
	{ .block = "accept.domain", .key = "recipients",
	  .type = CONF_RECIPIENTS, .deflt = "\"verify\"",
	  AT(conf_accept, recipients),
	  .offset2 = offsetof(struct conf_accept, table_path),
	  .help = "Which recipients exist; others are refused at once. verify "
	      "asks the next hop by RCPT and remembers the answer: seven days "
	      "for who exists, an hour for who does not, 100000 addresses in "
	      "all; while it cannot be asked, those not remembered get a "
	      "temporary refusal. `sealane queue flush` forgets who does not "
	      "exist. file:PATH is a list, one a line: a local part, local@domain, "
	      "@domain for everybody there, or local+* for anything behind a "
	      "plus sign; case of ASCII letters means nothing, # begins a comment, 64M is the "
	      "most. any takes every address; the next hop's refusal is then "
	      "bounced to the sender. postmaster exists in every domain "
	      "(RFC 5321 sec 4.5.1)." },
	{ .block = "accept", .key = "client", .type = CONF_NETWORKS, .min = 0,
	  .max = 1000, ARRAY_AT(clients, nclients, conf_client, label),
	  .deflt_text = "none",
	  .help = "Rules for clients from a network, such as "
	      "\"192.0.2.0/24\"; the longest prefix wins." },
	{ .block = "accept.client", .key = "require", .type = CONF_WORD,
	  .words = "clear|encrypted",
	  .deflt = "\"clear\"", AT(conf_client, require),
	  .help = "encrypted refuses mail from these clients on connections "
	      "without TLS." },
	{ .block = "accept.client", .key = "limits", .type = CONF_WORD,
	  .words = "auto|on|off", .deflt = "\"auto\"",
	  AT(conf_client, limits),
	  .help = "Whether limits.client holds for them. auto: not for loopback "
	      "addresses, nor on listeners that relay for them; on and off: "
	      "always, never." },

	{ .block = "", .key = "limits", .type = CONF_BLOCK,
	  .help = "Bounds of what clients may send." },
	{ .block = "limits", .key = "message-size", .type = CONF_SIZE,
	  .min = 1 * KIB, .max = 2 * GIB, .deflt = "50M",
	  AT(conf, limits.message_size),
	  .help = "The largest message taken in, announced by SIZE "
	      "(RFC 1870)." },
	{ .block = "limits", .key = "recipients", .type = CONF_NUMBER,
	  .min = 1, .max = 50000, .deflt = "1000", AT(conf, limits.recipients),
	  .help = "The most recipients of one message, which are 64K of "
	      "addresses at most; clients send the rest in further "
	      "transactions. Announced as RCPTMAX. RFC 5321 asks "
	      "for 100 at least." },
	{ .block = "limits", .key = "bare-newline", .type = CONF_WORD,
	  .words = "normalize|reject", .deflt = "\"normalize\"",
	  AT(conf, limits.bare_newline),
	  .help = "What becomes of a line feed or carriage return alone in a "
	      "message: normalize makes CRLF of it, reject refuses the "
	      "message. Neither ever ends a message." },
	{ .block = "limits", .key = "connections", .type = CONF_NUMBER,
	  .min = 0, .max = 1000000, .deflt = "0", AT(conf, limits.connections),
	  .help = "The most clients at once; 0: as many as descriptors and "
	      "memory allow, 16384 a process at most. More are told to come "
	      "back later (421)." },
	{ .block = "limits", .key = "session-time", .type = CONF_DURATION,
	  .min = 1 * MIN, .max = 7 * DAY, .deflt = "4h",
	  AT(conf, limits.session_time),
	  .help = "How long a connection may last, whatever it does; then 421. "
	      "See also timeout. When three quarters of all places are taken, "
	      "clients that send nothing for 10 seconds, or no message for a "
	      "minute, have to make room." },
	{ .block = "limits", .key = "min-rate", .type = CONF_NUMBER,
	  .min = 0, .max = 1000000, .deflt = "100", AT(conf, limits.min_rate),
	  .help = "The fewest bytes a second of a message, on average over a "
	      "minute; slower clients are told 421." },
	{ .block = "limits", .key = "client", .type = CONF_BLOCK,
	  .help = "Bounds for the clients of one network. Each holds for an "
	      "address (of IPv6: a /64) and, ten times higher, for the /24 or "
	      "/48 around it; 0: no limit. Loopback and relay clients have "
	      "none, see accept.client. A limit that is reached is one event "
	      "in the log." },
	{ .block = "limits.client", .key = "connections", .type = CONF_NUMBER,
	  .min = 0, .max = 100000, .deflt = "50",
	  AT(conf, limits.client.connections),
	  .help = "Connections at once; more are refused with 421." },
	{ .block = "limits.client", .key = "connection-rate",
	  .type = CONF_NUMBER, .min = 0, .max = 1000000, .deflt = "300",
	  AT(conf, limits.client.connection_rate),
	  .help = "New connections a minute; more are refused with 421." },
	{ .block = "limits.client", .key = "recipients", .type = CONF_NUMBER,
	  .min = 0, .max = 100000000, .deflt = "10000",
	  AT(conf, limits.client.recipients),
	  .help = "RCPT commands an hour; more are answered 451." },
	{ .block = "limits.client", .key = "errors", .type = CONF_NUMBER,
	  .min = 0, .max = 1000000, .deflt = "500",
	  AT(conf, limits.client.errors),
	  .help = "Refused commands and failed TLS handshakes an hour; the "
	      "next one ends the connection with 421, and so is each new "
	      "connection answered." },
	{ .block = "limits.client", .key = "unknown-commands",
	  .type = CONF_NUMBER, .min = 0, .max = 1000000, .deflt = "100",
	  AT(conf, limits.client.unknown_commands),
	  .help = "Commands an hour that are none; likewise." },
	{ .block = "limits", .key = "nul", .type = CONF_WORD,
	  .words = "pass|reject", .deflt = "\"pass\"", AT(conf, limits.nul),
	  .help = "What becomes of a message with NUL bytes, which 8BITMIME "
	      "does not allow (RFC 6152) and some programs send: pass sends "
	      "it on as it is, reject refuses it." },
	{ .block = "limits", .key = "header-size", .type = CONF_SIZE,
	  .min = 1 * KIB, .max = 64 * MIB, .deflt = "1M",
	  AT(conf, limits.header_size),
	  .help = "The largest header of a message, and so the longest line "
	      "in it. Lines of the text may be as long as the message." },
	{ .block = "limits", .key = "hops", .type = CONF_NUMBER,
	  .min = 1, .max = 1000, .deflt = "100", AT(conf, limits.hops),
	  .help = "The most Received: fields of a message; with more it is "
	      "taken to be in a loop and refused (RFC 5321 sec 6.3)." },
	{ .block = "limits", .key = "timeout", .type = CONF_BLOCK,
	  .help = "How long a client may take." },
	{ .block = "limits.timeout", .key = "command", .type = CONF_DURATION,
	  .min = 1 * SEC, .max = 1 * DAY, .deflt = "5m",
	  AT(conf, limits.timeout.command),
	  .help = "For a whole command; a byte now and then does not prolong "
	      "it. RFC 5321 sec 4.5.3.2.7 asks for 5 minutes at least." },
	{ .block = "limits.timeout", .key = "data", .type = CONF_DURATION,
	  .min = 1 * SEC, .max = 1 * DAY, .deflt = "5m",
	  AT(conf, limits.timeout.data),
	  .help = "For each 16K of a message, and for its end." },

	{ .block = "", .key = "relay", .type = CONF_BLOCK,
	  .help = "How mail goes out.  Of a domain's MX hosts the 20 best are "
	      "tried, in random order where they are equal, and of each host "
	      "8 addresses.  A list of more than 1024 counts as a look-up "
	      "that failed." },
	{ .block = "relay", .key = "via", .type = CONF_VIA, .deflt = "\"\"",
	  VIA_AT(conf, relay.via, relay.has_via),
	  .help = "A smart host for all mail that no domain block sends "
	      "elsewhere. [HOST]:PORT connects to that host or address, "
	      "DOMAIN to its MX hosts, lmtp:unix:PATH and lmtp:[HOST]:PORT to "
	      "a mail store; empty: to the MX hosts of each recipient's "
	      "domain." },
	{ .block = "relay", .key = "port", .type = CONF_NUMBER, .min = 1,
	  .max = 65535, .deflt = "25", AT(conf, relay.port),
	  .help = "The port of next hops that are written without one." },
	{ .block = "relay", .key = "connections", .type = CONF_NUMBER,
	  .min = 1, .max = 1000, .deflt = "20", AT(conf, relay.connections),
	  .help = "The most connections at once to one set of MX hosts." },
	{ .block = "relay", .key = "source", .type = CONF_SOURCES,
	  .deflt = "[]", SOURCE_AT(conf, relay.sending),
	  .help = "Addresses of this machine to send from: one IPv4, one "
	      "IPv6, or both. Of a family that is left out the system "
	      "chooses." },
	{ .block = "relay", .key = "ehlo-name", .type = CONF_HOST_OPT,
	  .deflt = "\"\"", AT(conf, relay.sending.ehlo_name),
	  .help = "The name in EHLO and LHLO to next hops; empty: hostname. "
	      "It should be what the PTR of the source address says." },
	{ .block = "relay", .key = "protocols", .type = CONF_WORD,
	  .words = "any|ipv4|ipv6", .min = PROTOCOLS_ANY, .max = PROTOCOLS_IP6,
	  .deflt = "\"any\"", AT(conf, relay.sending.protocols),
	  .help = "Which addresses of hosts are used. Where any are, the "
	      "families take turns. An address that this file or a "
	      "recipient's domain spells out is used in any case." },
	{ .block = "relay", .key = "domain", .type = CONF_DOMAINS, .min = 0,
	  .max = 100000,
	  ARRAY_AT(relay.domains, relay.ndomains, conf_relay_domain, pattern),
	  .deflt_text = "none",
	  .help = "What differs for recipients in these domains." },
	{ .block = "relay.domain", .key = "via", .type = CONF_VIA,
	  .deflt_text = "as in relay",
	  VIA_AT(conf_relay_domain, via, has_via),
	  .help = "As relay.via; empty: the domain's MX hosts even where "
	      "relay.via is set." },
	{ .block = "relay.domain", .key = "connections", .type = CONF_NUMBER,
	  .min = 1, .max = 1000, .deflt_text = "as in relay",
	  AT(conf_relay_domain, connections),
	  .help = "As relay.connections." },
	{ .block = "relay.domain", .key = "source", .type = CONF_SOURCES,
	  .deflt_text = "as in relay", SOURCE_AT(conf_relay_domain, sending),
	  .help = "As relay.source; it replaces that list." },
	{ .block = "relay.domain", .key = "ehlo-name", .type = CONF_HOST_OPT,
	  .deflt_text = "as in relay",
	  AT(conf_relay_domain, sending.ehlo_name),
	  .help = "As relay.ehlo-name." },
	{ .block = "relay.domain", .key = "protocols", .type = CONF_WORD,
	  .words = "any|ipv4|ipv6", .min = PROTOCOLS_ANY, .max = PROTOCOLS_IP6,
	  .deflt_text = "as in relay",
	  AT(conf_relay_domain, sending.protocols),
	  .help = "As relay.protocols." },
	{ .block = "relay", .key = "retry", .type = CONF_BLOCK,
	  .help = "When deferred mail is tried again." },
	{ .block = "relay.retry", .key = "first", .type = CONF_DURATION,
	  .min = 100, .max = 7 * DAY, .deflt = "5m", AT(conf, relay.retry.first),
	  .help = "The wait before the second attempt; it doubles from "
	      "attempt to attempt, with some jitter." },
	{ .block = "relay.retry", .key = "max", .type = CONF_DURATION,
	  .min = 100, .max = 7 * DAY, .deflt = "4h", AT(conf, relay.retry.max),
	  .help = "The longest wait between two attempts." },
	{ .block = "relay.retry", .key = "give-up", .type = CONF_DURATION,
	  .min = 1 * SEC, .max = 60 * DAY, .deflt = "5d",
	  AT(conf, relay.retry.give_up),
	  .help = "The age at which undelivered mail is returned to its "
	      "sender." },
	{ .block = "relay.retry", .key = "delay-warning",
	  .type = CONF_DURATION, .min = 0, .max = 60 * DAY, .deflt = "4h",
	  AT(conf, relay.retry.delay_warning),
	  .help = "The age at which the sender of undelivered mail is told "
	      "of the delay, once; 0: never. It is told who may relay here, "
	      "and whoever asked for it (NOTIFY=DELAY)." },
	{ .block = "relay", .key = "timeout", .type = CONF_BLOCK,
	  .help = "How long a next hop may take for each step. The defaults "
	      "are near RFC 5321 sec 4.5.3.2." },
	TIMEOUT("connect", connect, "30s", "To accept the connection."),
	TIMEOUT("handshake", handshake, "30s", "For the TLS handshake."),
	TIMEOUT("greeting", greeting, "5m", "To send its greeting."),
	TIMEOUT("command", command, "5m", "To answer a command."),
	TIMEOUT("data-start", data_start, "2m", "To answer DATA."),
	TIMEOUT("data-block", data_block, "3m",
	    "To take the next block of a message."),
	TIMEOUT("data-end", data_end, "10m",
	    "To answer the end of a message. A short time makes duplicates."),

	{ .block = "", .key = "tls", .type = CONF_BLOCK,
	  .help = "TLS, in and out. A peer's handshake is cut off beyond 64K, "
	      "32 certificates, an RSA key of 16384 bits or a DH group of "
	      "8192 bits." },
	{ .block = "tls", .key = "certificate", .type = CONF_LABELLED,
	  .min = 0, .max = CONF_CERTIFICATES,
	  ARRAY_AT(tls.certificates, tls.ncertificates, conf_certificate,
	  label),
	  .deflt_text = "self-signed ones, made at the first start",
	  .help = "A certificate to show to clients; the label is for you. A "
	      "client that names a server (SNI) gets one that has exactly "
	      "this name, else one with a wildcard in place of its first "
	      "label, else one for hostname, else the first. Give an ECDSA "
	      "and an RSA one for the same name, so that old clients find one "
	      "that they know; no more than 300 RSA handshakes a second are "
	      "made by one process. With no certificate block the relay makes "
	      "its own." },
	{ .block = "tls.certificate", .key = "chain", .type = CONF_FILE,
	  .max = 1000, AT(conf_certificate, chain),
	  .required = "`chain` is missing: name the PEM file that has the "
	      "certificate and those of its issuers",
	  .help = "PEM file with the certificate, then those of its issuers, "
	      "10 in all and 64K at most. It must belong to root, or to who "
	      "starts the relay, and nobody else may write it. credential: "
	      "and a name means what systemd was told by LoadCredential= or "
	      "LoadCredentialEncrypted=." },
	{ .block = "tls.certificate", .key = "key", .type = CONF_FILE,
	  .max = 1000, AT(conf_certificate, key),
	  .required = "`key` is missing: name the PEM file that has the "
	      "certificate's private key",
	  .help = "PEM file with its private key, ECDSA or RSA, without a "
	      "passphrase. As for chain, and it must not be open to "
	      "everybody. Only the process that makes signatures reads "
	      "it." },
	{ .block = "tls", .key = "ca-file", .type = CONF_PATH, .max = 1000,
	  .deflt = "\"/etc/ssl/certs/ca-certificates.crt\"",
	  AT(conf, tls.ca_file),
	  .help = "The authorities that are believed where a certificate must "
	      "be valid: at policy hosts of MTA-STS, and at hosts from which a "
	      "verified certificate is asked. In PEM form." },
	{ .block = "tls", .key = "old-versions", .type = CONF_BOOL,
	  .deflt = "true", AT(conf, tls.old_versions),
	  .help = "Whether TLS 1.0 and 1.1 are taken where nothing better "
	      "can be had: they are weak, but clear text is weaker. The log "
	      "and the report mark such mail. They are never used where an "
	      "authenticated level is asked." },
	{ .block = "tls", .key = "tickets", .type = CONF_BOOL,
	  .deflt = "false", AT(conf, tls.tickets),
	  .help = "Whether clients get session tickets, with which their next "
	      "TLS handshake is cheaper. Some clients (Outlook among them) "
	      "break off when they get one. The key of the tickets is made "
	      "at the start, and anew every 12 hours; it is never written "
	      "down." },
	{ .block = "tls", .key = "client-certificates", .type = CONF_WORD,
	  .words = "none|request", .deflt = "\"none\"",
	  AT(conf, tls.client_certificates),
	  .help = "Whether clients are asked for a certificate. None is "
	      "demanded and any is taken; its key shows in the log "
	      "(spki=). Some clients break off when they are asked." },

	{ .block = "", .key = "policy", .type = CONF_BLOCK,
	  .help = "What is asked of other hosts before mail goes to them." },
	{ .block = "policy", .key = "dane", .type = CONF_BOOL,
	  .deflt = "true", AT(conf, policy.dane),
	  .help = "Whether the TLSA records of next hops are looked for and "
	      "kept to (RFC 7672). Only answers that DNSSEC secures count. "
	      "A host with more than 8 KiB of them is not used." },
	{ .block = "policy", .key = "mta-sts", .type = CONF_BOOL,
	  .deflt = "true", AT(conf, policy.mta_sts),
	  .help = "Whether the MTA-STS policies of recipient domains are looked "
	      "for and kept to (RFC 8461)." },
	{ .block = "policy", .key = "fetch-timeout", .type = CONF_DURATION,
	  .min = 1 * SEC, .max = 10 * MIN, .deflt = "60s",
	  AT(conf, policy.fetch_timeout),
	  .help = "How long the fetch of a policy may take, all in all." },
	LATER("policy", "socketmap", "Answer Postfix's policy questions."),
	{ .block = "policy", .key = "memory", .type = CONF_BLOCK,
	  .help = "What is remembered of next hops and their domains: that TLS "
	      "worked, when, which versions and which key. Only completed TLS "
	      "sessions are remembered, so that nobody makes it forget, or "
	      "believe, by taking STARTTLS away or by naming hosts; 1000000 "
	      "hosts and 1000000 domains, of those not yet known well "
	      "100000 each." },
	{ .block = "policy.memory", .key = "sessions", .type = CONF_NUMBER,
	  .min = 1, .max = 1000, .deflt = "3",
	  AT(conf, policy.memory.sessions),
	  .help = "After so many TLS sessions, first and last of them `over` "
	      "apart, TLS is expected of a host or domain." },
	{ .block = "policy.memory", .key = "over", .type = CONF_DURATION,
	  .min = 0, .max = 90 * DAY, .deflt = "24h",
	  AT(conf, policy.memory.over),
	  .help = "See `sessions`: one lucky connection binds nobody." },
	{ .block = "policy.memory", .key = "expire", .type = CONF_DURATION,
	  .min = 1 * SEC, .max = 3650 * DAY, .deflt = "90d",
	  AT(conf, policy.memory.expire),
	  .help = "So long after the last TLS session it is no longer "
	      "expected." },
	{ .block = "policy.memory", .key = "on-loss", .type = CONF_WORD,
	  .words = "hold|observe|enforce", .deflt = "\"hold\"",
	  AT(conf, policy.memory.on_loss),
	  .help = "When TLS is expected by memory alone and is not to be had: "
	      "hold keeps the mail, tries the other hosts, and accepts the "
	      "loss when `hold-for` is over, until TLS is seen again; observe "
	      "only says so; enforce keeps the mail until it is given up." },
	{ .block = "policy.memory", .key = "hold-for", .type = CONF_DURATION,
	  .min = 0, .max = 30 * DAY, .deflt = "4h",
	  AT(conf, policy.memory.hold_for),
	  .help = "How long hold keeps mail from going in clear, counted from "
	      "when the loss was first seen at that host, for all messages." },
	{ .block = "policy", .key = "domain", .type = CONF_DOMAINS, .min = 0,
	  .max = 100000,
	  ARRAY_AT(policy.domains, policy.ndomains, conf_policy_domain,
	      pattern),
	  .deflt_text = "none",
	  .help = "What is asked of the hosts that mail for these recipient "
	      "domains goes to, whatever they publish. Mail stores of "
	      "this machine are asked for nothing." },
	{ .block = "policy.domain", .key = "require", .type = CONF_WORD,
	  .words = "none|clear|encrypted|verified|sts|dane",
	  .deflt = "\"none\"", AT(conf_policy_domain, require),
	  .help = "The least level; mail waits until it can be had. encrypted "
	      "is TLS with whoever answers; verified a valid certificate of "
	      "the host's name, which DNSSEC or this file vouches for; sts one "
	      "under the domain's MTA-STS policy; dane a match with TLSA "
	      "records behind secure MX records." },
	{ .block = "policy.domain", .key = "permit", .type = CONF_WORD,
	  .words = "none|clear|encrypted|verified|sts|dane",
	  .deflt = "\"none\"", AT(conf_policy_domain, permit),
	  .help = "The most that is asked, even if the domain publishes more: "
	      "for a peer whose DANE or MTA-STS is broken; none: no bound. "
	      "It wins over `require`." },
	LATER("policy.domain", "pin", "Only a key that was verified."),

	{ .block = "", .key = "dns", .type = CONF_BLOCK,
	  .help = "How names are looked up." },
	{ .block = "dns", .key = "trust-anchor-file", .type = CONF_PATH,
	  .max = 1000, .deflt = "\"/usr/share/dns/root.key\"",
	  AT(conf, dns.trust_anchor_file),
	  .help = "DNSSEC trust anchors." },
	{ .block = "dns", .key = "root-hints", .type = CONF_PATH_OPT,
	  .max = 1000, .deflt = "\"\"", AT(conf, dns.root_hints),
	  .help = "Addresses of the root servers; empty: built in." },
	{ .block = "dns", .key = "forward", .type = CONF_SERVERS, .max = 16,
	  .deflt = "[]", LIST_AT(conf, dns.forward, dns.nforward),
	  .help = "Resolvers to ask, as ADDRESS or ADDRESS@PORT; empty: the "
	      "relay asks the authoritative servers itself. Their answers "
	      "are validated here in any case." },
	{ .block = "dns", .key = "probe-names", .type = CONF_NAMES, .max = 8,
	  .deflt = "[]", LIST_AT(conf, dns.probe_names, dns.nprobe_names),
	  .help = "Names in signed zones, asked for beside the root's own "
	      "records to find out whether signatures come through: see "
	      "`on-dishonest`. Each must be signed for good." },
	{ .block = "dns", .key = "probe-interval", .type = CONF_DURATION,
	  .min = 1 * SEC, .max = 1 * DAY, .deflt = "5m",
	  AT(conf, dns.probe_interval),
	  .help = "How often that is asked. An answer whose signatures do not "
	      "hold brings it forward." },
	{ .block = "dns", .key = "on-dishonest", .type = CONF_WORD,
	  .words = "hold|accept", .deflt = "\"hold\"",
	  AT(conf, dns.on_dishonest),
	  .help = "When signatures came through once and no longer do: hold "
	      "counts every look-up as an error, so that mail waits, nothing "
	      "is returned, and nothing is sent with less protection; accept "
	      "goes on as if they never had: without DNSSEC, and so without "
	      "DANE, until they come through again." },

	{ .block = "", .key = "state", .type = CONF_BLOCK,
	  .help = "What is kept over restarts." },
	{ .block = "state", .key = "directory", .type = CONF_PATH,
	  .max = 1000, .deflt = "\"/var/lib/sealane\"",
	  AT(conf, state_directory),
	  .help = "Holds the spool, the keys and the databases." },

	{ .block = "", .key = "control", .type = CONF_BLOCK,
	  .help = "How commands reach the running relay." },
	/* sun_path of a unix socket has 108 bytes; names of sockets are short. */
	{ .block = "control", .key = "directory", .type = CONF_PATH,
	  .max = 90, .deflt = "\"/run/sealane\"", AT(conf, control_directory),
	  .help = "Holds the control sockets." },

	{ .block = "", .key = "log", .type = CONF_BLOCK,
	  .help = "How the log is written, and where it goes." },
	{ .block = "log", .key = "format", .type = CONF_WORD,
	  .words = "logfmt|json", .deflt = "\"logfmt\"", AT(conf, log_format),
	  .help = "One event a line, as key=value words or as JSON." },
	{ .block = "log", .key = "target", .type = CONF_WORD,
	  .words = "stderr|syslog|journal", .deflt = "\"stderr\"",
	  AT(conf, log_target),
	  .help = "Standard error, the socket /dev/log, or that of systemd's "
	      "journal, which gets each key as a field of its own. Mail never "
	      "waits for it: what a reader does not take waits, 256K in each "
	      "process, and what comes on top is dropped and counted in the "
	      "event log-dropped." },

	{ .block = "", .key = "processes", .type = CONF_BLOCK,
	  .help = "How many processes share the network work." },
	{ .block = "processes", .key = "smtpd", .type = CONF_NUMBER, .min = 0,
	  .max = ROLE_INSTANCES, .deflt = "0", AT(conf, smtpd_processes),
	  .help = "Processes that receive; 0: one per core." },
	{ .block = "processes", .key = "relay", .type = CONF_NUMBER, .min = 0,
	  .max = ROLE_INSTANCES, .deflt = "0", AT(conf, relay_processes),
	  .help = "Processes that send; 0: one per core." },

	{ .block = "", .key = "drain", .type = CONF_DURATION, .min = 0,
	  .max = 1 * HOUR, .deflt = "20s", AT(conf, drain),
	  .help = "How long the end waits for what is under way, first for "
	      "clients inside a message, then for deliveries. What is not "
	      "done then stays with the client or in the queue." },
	{ .block = "", .key = "allow-loopback", .type = CONF_BOOL,
	  .deflt = "false", AT(conf, allow_loopback),
	  .help = "Whether hosts found by DNS may have loopback or private "
	      "addresses: for labs and tests. Hosts that this file names "
	      "always may." },
};
const size_t conf_nrows = sizeof conf_rows / sizeof conf_rows[0];

const struct conf_row *
conf_row_find(const char *block, const char *key)
{
	for (size_t i = 0; i < conf_nrows; i++)
		if (strcmp(conf_rows[i].block, block) == 0 &&
		    strcmp(conf_rows[i].key, key) == 0)
			return &conf_rows[i];
	return NULL;
}

/* ---- what is allowed, in words ---- */

struct unit {
	uint64_t	 size;
	const char	*name;
};

static const struct unit size_units[] = {
	{ GIB, "G" }, { MIB, "M" }, { KIB, "K" }, { 1, "" },
};
static const struct unit duration_units[] = {
	{ DAY, "d" }, { HOUR, "h" }, { MIN, "m" }, { SEC, "s" }, { 1, "ms" },
};

static const char *
unit_text(const struct unit *u, uint64_t v, char out[CONF_UNIT_TEXT])
{
	while (u->size > 1 && (v == 0 || v % u->size != 0))
		u++;
	snprintf(out, CONF_UNIT_TEXT, "%" PRIu64 "%s", v / u->size, u->name);
	return out;
}

const char *
conf_size_text(uint64_t bytes, char out[CONF_UNIT_TEXT])
{
	return unit_text(size_units, bytes, out);
}

const char *
conf_duration_text(uint64_t ms, char out[CONF_UNIT_TEXT])
{
	return unit_text(duration_units, ms, out);
}

/* "a|b|c" as `"a", "b" or "c"`. */
static void
words_allowed(const char *words, char *out, size_t size)
{
	size_t at = 0;

	while (*words != '\0' && at < size) {
		size_t n = strcspn(words, "|");
		const char *rest = words + n + (words[n] == '|');
		const char *join = *rest == '\0' ? "" :
		    strchr(rest, '|') != NULL ? ", " : " or ";

		at += (size_t)snprintf(out + at, size - at, "\"%.*s\"%s",
		    (int)n, words, join);
		words = rest;
	}
}

static const char *const allowed_texts[CONF_TYPES] = {
	[CONF_BLOCK] = "a block in { }",
	[CONF_LABELLED] = "a name in quotes and a block in { }",
	[CONF_DOMAINS] = "a domain in quotes and a block in { }: "
	    "\"example.org\", \"*.example.org\" for all below it, or \"*\" for "
	    "the rest",
	[CONF_NETWORKS] = "a network or address in quotes and a block in { }: "
	    "\"192.0.2.0/24\" or \"2001:db8::1\"",
	[CONF_RECIPIENTS] = "\"verify\", \"any\" or \"file:/PATH\"",
	[CONF_LATER] = "nothing in this version",
	[CONF_BOOL] = "true or false",
	[CONF_HOST] = "a domain name such as \"mx1.example.org\"",
	[CONF_HOST_OPT] = "\"\" or a domain name such as \"mx1.example.org\"",
	[CONF_MAILBOX_OPT] = "\"\" or an address such as \"admin@example.org\"",
	[CONF_PATH] = "a path that begins with /",
	[CONF_PATH_OPT] = "\"\" or a path that begins with /",
	[CONF_FILE] = "a path that begins with / or credential:NAME",
	[CONF_ADDRESS] = "an IP address and port such as \"192.0.2.1:25\" or "
	    "\"[::]:25\"",
	[CONF_PREFIXES] = "a list of networks and addresses such as "
	    "[ \"192.0.2.0/24\", \"2001:db8::1\" ]",
	[CONF_SOURCES] = "a list of one IPv4 address, one IPv6 address or both "
	    "such as [ \"192.0.2.1\", \"2001:db8::1\" ]",
	[CONF_HOP] = "\"smtp:[192.0.2.5]:25\", \"smtp:[host.example.org]\", "
	    "\"smtp:example.org\" (by MX), \"lmtp:unix:/path\", "
	    "\"lmtp:[host]:24\" or \"discard:\"",
	[CONF_VIA] = "\"\", \"[192.0.2.5]:25\", \"[host.example.org]\", "
	    "\"example.org\" (by MX), \"lmtp:unix:/path\" or "
	    "\"lmtp:[host]:24\"",
	[CONF_SERVERS] = "a list of resolvers such as [ \"192.0.2.53\", "
	    "\"2001:db8::53@5353\" ]",
	[CONF_NAMES] = "a list of domain names such as [ \"example.org\", "
	    "\"example.net\" ]",
};

void
conf_row_allowed(const struct conf_row *r, char *out, size_t size)
{
	char a[CONF_UNIT_TEXT], b[CONF_UNIT_TEXT];

	switch (r->type) {
	case CONF_NUMBER:
		snprintf(out, size, "a number from %" PRIu64 " to %" PRIu64,
		    r->min, r->max);
		break;
	case CONF_SIZE:
		snprintf(out, size, "a size from %s to %s, such as 64K or 50M",
		    conf_size_text(r->min, a), conf_size_text(r->max, b));
		break;
	case CONF_DURATION:
		snprintf(out, size, "a duration from %s to %s in ms, s, m, h, "
		    "d or w, such as 30s", conf_duration_text(r->min, a),
		    conf_duration_text(r->max, b));
		break;
	case CONF_WORD:
		words_allowed(r->words, out, size);
		break;
	default:
		assert(allowed_texts[r->type] != NULL);
		snprintf(out, size, "%s", allowed_texts[r->type]);
	}
}
