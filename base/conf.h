/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf.h - the configuration as an immutable value.
 *
 * Reading and parsing are apart: the parent (or the CLI) reads the file and
 * its includes once into one byte bundle; every role parses the same bytes, so
 * that all have the same configuration or none.  The grammar is in
 * base/conf_parse.c, every key with its type, range, default and help text in
 * the one table of base/conf_schema.c, from which checks and man page come. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/hop.h"
#include "base/log.h"
#include "base/net.h"

/* A next hop that the operator named: "smtp:host", "smtp:[192.0.2.5]:25",
 * "lmtp:unix:/path", "lmtp:[host]:24", "discard:".  Without brackets MX records
 * of `host` are followed. */
enum hop_kind { HOP_MX, HOP_HOST, HOP_DISCARD, HOP_UNIX };

struct conf_hop {
	enum hop_kind	 kind;
	bool		 lmtp;		/* RFC 2033; HOP_UNIX and HOP_HOST only */
	const char	*host;		/* A-label domain or IP text, path of
					   HOP_UNIX; "" when discard */
	struct addr	 literal;	/* family != 0 when `host` is an address */
	uint16_t	 port;
};

enum listen_tls { LISTEN_STARTTLS, LISTEN_NONE, LISTEN_REQUIRED,
	LISTEN_IMPLICIT };
enum client_certificates { CLIENT_CERTIFICATES_NONE,
	CLIENT_CERTIFICATES_REQUEST };

struct conf_listen {
	const char	*label;
	struct addr	 address;
	struct prefix	*relay_from;	/* may relay to anywhere; default filled in */
	size_t		 nrelay_from;
	enum listen_tls	 tls;
	const char	*greeting_name;	/* hostname when not given */
	bool		 xforward;
	enum client_certificates client_certificates;
	unsigned	 line;		/* for messages about it */
};

/* Of our own; both files are PEM. */
#define CONF_CERTIFICATES	32
struct conf_certificate {
	const char	*label;
	const char	*chain, *key;
};

/* Patterns: "example.org" exactly, "*.example.org" all below, "*" the rest;
 * the longest match wins, order never matters. */
enum conf_recipients {
	RECIPIENTS_VERIFY,	/* asked at the next hop */
	RECIPIENTS_ANY,
	RECIPIENTS_FILE,	/* those in the table */
};

struct conf_accept {
	const char	*pattern;
	struct conf_hop	 to;
	enum conf_recipients recipients;
	const char	*table_path;
	struct span	 table;		/* base/conf_table.h; lies in the bundle */
};

enum client_limits { LIMITS_AUTO, LIMITS_ON, LIMITS_OFF };

/* What holds for clients from one network; the longest prefix wins. */
struct conf_client {
	const char	*label;
	struct prefix	 net;
	enum client_require { REQUIRE_CLEAR, REQUIRE_ENCRYPTED } require;
	enum client_limits limits;
};

/* Where connections start, and as whom. */
enum conf_protocols { PROTOCOLS_UNSET, PROTOCOLS_ANY, PROTOCOLS_IP4, PROTOCOLS_IP6 };

struct conf_sending {
	bool		 has_source;	/* a list was written, were it empty */
	struct addr	 source4, source6;	/* family 0: the system's choice */
	const char	*ehlo_name;
	enum conf_protocols protocols;	/* resolved: never UNSET */
};

/* All already resolved: what the block leaves out is as in `relay`. */
struct conf_relay_domain {
	const char	*pattern;
	bool		 has_via;	/* false: by the domain's own MX records */
	struct conf_hop	 via;
	unsigned	 connections;
	struct conf_sending sending;
};

/* What the operator asks of the hosts of a domain; NONE: nothing. */
struct conf_policy_domain {
	const char	*pattern;
	enum level	 require;	/* a floor */
	enum level	 permit;	/* a cap on what is asked */
};

enum bare_newline { BARE_NORMALIZE, BARE_REJECT };
enum nul_byte { NUL_PASS, NUL_REJECT };
enum on_loss { LOSS_HOLD, LOSS_OBSERVE, LOSS_ENFORCE };
enum on_dishonest { DISHONEST_HOLD, DISHONEST_ACCEPT };

struct conf {
	const char	*hostname;	/* configured, or the machine's FQDN */
	const char	*postmaster;	/* of this relay, local@domain; "" nobody */
	struct conf_listen	*listens;
	size_t			 nlistens;
	struct conf_accept	*accepts;
	size_t			 naccepts;
	struct conf_client	*clients;
	size_t			 nclients;
	struct {
		uint64_t	message_size;		/* bytes */
		unsigned	recipients;		/* per message */
		enum bare_newline bare_newline;
		unsigned	connections;		/* in all; 0: by descriptors */
		uint64_t	session_time;		/* ms */
		unsigned	min_rate;		/* bytes per second */
		struct {				/* 0: no limit */
			unsigned connections, connection_rate, recipients,
			    errors, unknown_commands;
		} client;
		enum nul_byte	nul;
		uint64_t	header_size;		/* bytes */
		unsigned	hops;
		struct {				/* ms */
			uint64_t command, data;
		} timeout;
	} limits;
	struct {
		bool		 has_via;
		struct conf_hop	 via;
		uint16_t	 port;
		unsigned	 connections;		/* per site, default 20 */
		struct conf_sending sending;
		struct conf_relay_domain *domains;
		size_t		 ndomains;
		struct {
			uint64_t first, max, give_up;	/* ms */
			uint64_t delay_warning;		/* 0: none */
		} retry;
		struct {				/* ms */
			uint64_t connect, handshake, greeting, command,
			    data_start, data_block, data_end;
		} timeout;
	} relay;
	struct {
		const char	*ca_file;
		struct conf_certificate *certificates;	/* none: self-signed */
		size_t		 ncertificates;
		bool		 old_versions;		/* 1.0 and 1.1 */
		bool		 tickets;
		enum client_certificates client_certificates;
	} tls;
	struct {
		const char	*trust_anchor_file;
		const char	*root_hints;		/* "" : built in */
		const char	**forward;		/* "192.0.2.53@53" */
		size_t		 nforward;
		const char	**probe_names;
		size_t		 nprobe_names;
		uint64_t	 probe_interval;	/* ms */
		enum on_dishonest on_dishonest;
	} dns;
	struct {
		bool		 dane, mta_sts;
		uint64_t	 fetch_timeout;		/* ms */
		struct conf_memory {
			unsigned sessions;
			uint64_t over, expire, hold_for;	/* ms */
			enum on_loss on_loss;
		} memory;
		struct conf_policy_domain *domains;
		size_t		 ndomains;
	} policy;
	const char	*state_directory;
	const char	*control_directory;
	const char	*aside_of;	/* a start aside: the relay's own state
					   directory; else NULL */
	enum log_format	 log_format;
	enum log_target	 log_target;
	unsigned	 smtpd_processes, relay_processes;	/* 0 resolved */
	uint64_t	 drain;		/* ms */
	bool		 allow_loopback;
	const char	*file;		/* the main file, for messages */
	struct conf_arena *arena;	/* owns every string and array above */
};

/* One complaint: "file:line:column: error: text". Warnings do not stop. */
struct conf_note {
	const char	*file;		/* borrowed from the notes' own arena */
	unsigned	 line, column;
	bool		 warning;
	char		 text[320];
};
struct conf_notes {
	struct conf_note *v;
	size_t		  n;
	size_t		  nerrors;
	struct conf_arena *arena;
};

/* Read `path` (NULL: an empty file) and what it includes into `bundle`
 * (base/conf_bundle.c has the format).  0, or -1 with an error among the notes.
 * A file that group or others may write is an error.
 *
 * aside, or NULL: a directory in which a few roles start beside the relay, to
 * answer one command.  State and control sockets are there, whatever the file
 * says, and the log goes to standard error. */
int	conf_read(const char *path, const char *aside, struct buf *bundle,
	    struct conf_notes *);

/* Parse a bundle: every error in one run.  NULL when there was any error.
 * Lists of recipients stay in the bundle, which so outlives the result. */
struct conf	*conf_parse(struct span bundle, struct conf_notes *);
/* The same from a memory file, which stays mapped as long as the result lives.
 * NULL without a note: it could not be read, or no memory. */
struct conf	*conf_parse_fd(int fd, struct conf_notes *);
void	conf_free(struct conf **);

/* A configuration may be replaced while what began under it goes on.  Whoever
 * keeps a pointer into it beyond the event loop's current call holds it; it is
 * gone when its owner has freed it and every holder has released it. */
const struct conf	*conf_hold(const struct conf *);
void	conf_release(const struct conf **);	/* NULL is allowed */

/* Things worth a warning in a valid configuration, an open relay first. */
void	conf_review(const struct conf *, struct conf_notes *);

/* conf_read and conf_parse at once: even when a file cannot be read, the errors
 * of the others are found in the same run.  `bundle`, initialised here, is the
 * caller's to free in every case; NULL when it is not wanted. */
struct conf	*conf_load(const char *path, struct conf_notes *,
		    struct buf *bundle);
struct conf	*conf_load_aside(const char *path, const char *aside,
		    struct conf_notes *, struct buf *bundle);

/* Where `key` of `block` ("", "listen", "relay.retry") was written; `label`
 * for listeners and certificates, else NULL.  False when it was not: the place is then the start of
 * the main file.  Keys of accept.domain and relay.domain are not kept. */
struct conf_place {
	const char	*file;
	unsigned	 line, column;
};
bool	conf_where(const struct conf *, const char *block, const char *key,
	    const char *label, struct conf_place *);

/* Add to the notes: for checks beyond the file itself. */
void	conf_error(struct conf_notes *, struct conf_place, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	conf_warn(struct conf_notes *, struct conf_place, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	conf_notes_print(const struct conf_notes *, FILE *);
void	conf_notes_free(struct conf_notes *);

/* Open a file that the configuration names at `at`, by its path or as
 * credential:NAME, to be read with the parent's rights: a plain file, and nobody but us and root may write it or, if
 * it is `secret`, everybody read it.  Not followed by a check of what is in it.
 * The descriptor, or -1 with an error among the notes. */
int	conf_open_file(const char *path, bool secret, struct conf_place at,
	    struct conf_notes *);

/* Look-ups, here so that smtpd and policy agree.  `domain` is lower case. */
const struct conf_accept	*conf_accept_for(const struct conf *, struct span domain);
/* NULL when no block has the address. */
const struct conf_client	*conf_client_for(const struct conf *, const struct addr *);
const struct conf_relay_domain	*conf_relay_for(const struct conf *, struct span domain);
/* NULL when no block has it. */
const struct conf_policy_domain	*conf_policy_for(const struct conf *, struct span domain);
/* Is there a next hop that is a unix socket; may mail for `domain` go to the one
 * at `path`? */
bool	conf_names_socket(const struct conf *);
bool	conf_allows_socket(const struct conf *, struct span domain,
	    const char *path);
/* Of conf_relay_for(), or of `relay`: never NULL. */
const struct conf_sending	*conf_sending_for(const struct conf *, struct span domain);
/* Do we go by that name: hostname, a listener's greeting-name, an ehlo-name?
 * In any case, with a final dot or without. */
bool	conf_own_name(const struct conf *, struct span name);

#endif
