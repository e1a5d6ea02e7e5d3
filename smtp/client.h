/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/client.h - one SMTP session as a client, as steps.
 *
 * Pure: bytes and `now` in, bytes and events out; no socket, clock or log.
 * greeting, EHLO (HELO where that is refused), STARTTLS, EHLO again, then any
 * number of messages: MAIL, RCPT..., DATA or BDAT, body, final reply; QUIT.
 * As LMTP (RFC 2033) the same with LHLO and a last reply per recipient.  Whoever
 * drives it owns the connection and decides policy: whether a session may go
 * on in clear, which host comes next, what a reply means for a recipient.
 *
 *	struct client c; client_init(&c, &setup, now);
 *	on input:  do ev = client_next(&c, input, &used, now); while (ev != WAIT)
 *	           and after each round send client_output(), then clear it.
 *
 * Replies that come ahead of the TLS handshake end the session and are never
 * used: they were put there by somebody who can't read what is inside TLS
 * (RFC 3207 sec 4.2, CVE-2021-38371). */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/envelope.h"
#include "base/span.h"
#include "smtp/ehlo.h"
#include "smtp/heard.h"
#include "smtp/reply.h"

enum client_step {		/* the reply, or act, that is waited for */
	CLIENT_GREETING, CLIENT_EHLO, CLIENT_HELO, CLIENT_STARTTLS,
	CLIENT_HANDSHAKE,	/* the driver's: client_secured() */
	CLIENT_IDLE,		/* ready for a message */
	CLIENT_RSET, CLIENT_MAIL, CLIENT_RCPT, CLIENT_DATA,
	CLIENT_BODY,		/* the driver's: body bytes, client_body_end() */
	CLIENT_FINAL,		/* the reply to the final dot */
	CLIENT_OVER,
	CLIENT_STEP_COUNT
};
const char	*client_step_name(enum client_step);

enum client_event {
	CLIENT_WAIT,		/* all said; needs input or the driver's act */
	/* The session is set up: ehlo and is_tls are final.  Next is
	 * client_message() or client_quit(). */
	CLIENT_READY,
	/* No bytes are behind the 220: start TLS, then client_secured(). */
	CLIENT_START_TLS,
	/* c->reply is the verdict for recipient c->rcpt or, when that is
	 * CLIENT_ALL, for each one without a verdict so far; c->verdict is the
	 * command that it answers.  An accepted RCPT is one in a probe only. */
	CLIENT_VERDICT,
	/* Send the body through smtp/dot.h.  When c->chunked is not set, all of
	 * it, then client_body_end(); else with client_chunk() ahead of each
	 * piece, the last one too, while client_chunk_due(). */
	CLIENT_SEND_BODY,
	CLIENT_SEND_MORE,	/* the next chunk */
	CLIENT_MESSAGE_DONE,	/* back at CLIENT_IDLE */
	/* Send what is in the output, then close.  c->end says why, c->at the
	 * step, c->reply the reply if there was one. */
	CLIENT_CLOSE,
};

enum client_end {
	CLIENT_END_NONE,
	CLIENT_END_QUIT,	/* as the driver wished */
	CLIENT_END_REPLY,	/* 421 anywhere, a refusal before CLIENT_READY, an early one in the body */
	CLIENT_END_TLS_REFUSED,	/* STARTTLS was answered by something else than 220 */
	CLIENT_END_INJECTED,	/* replies ahead of the handshake */
	CLIENT_END_PROTOCOL,	/* not SMTP, or a reply that makes no sense here */
	CLIENT_END_TIMEOUT,
	CLIENT_END_LOST,
};
const char	*client_end_name(enum client_end);

#define CLIENT_ALL	((size_t)-1)
#define CLIENT_NEVER	UINT64_MAX

struct client_timeouts {	/* ms, RFC 5321 sec 4.5.3.2 */
	uint64_t greeting, command, data_start, data_block, data_end,
	    handshake;
};

struct client_setup {
	const char	*name;		/* for EHLO; outlives the client */
	bool		 starttls;	/* ask for it when it is offered */
	bool		 lmtp;		/* RFC 2033 */
	struct client_timeouts timeouts;
};

struct client_rcpt {
	struct span	 address;
	struct span	 orcpt;		/* as it came, "" not given */
	uint8_t		 notify;	/* enum notify, base/envelope.h */
};

/* Borrowed until CLIENT_MESSAGE_DONE or CLIENT_CLOSE.  The driver may skip
 * recipients by passing only some. */
struct client_message {
	struct span		 sender;
	const struct client_rcpt *rcpts;
	size_t			 nrcpts;
	uint64_t		 size;		/* with CRLFs, RFC 1870 sec 6.1 */
	/* enum envelope_flag: what the content and the addresses need, not what
	 * a client once said of them. */
	unsigned		 flags;
	struct span		 envid;		/* as it came, "" not given */
	/* Why a host without 8BITMIME can't be given it in 7 bits; or NULL. */
	const char		*unfit;
	/* By BDAT where the host takes it (RFC 3030). */
	bool			 chunks;
	/* Only ask whether the recipients would be taken: MAIL and RCPT, and
	 * no message.  Each RCPT gets its verdict; `size` is not looked at. */
	bool			 probe;
};

struct client {
	struct client_setup	 setup;
	enum client_step	 step;
	bool			 is_tls;
	/* Who it is by its own words, when greeting and reply to EHLO (HELO)
	 * agree; else "".  Some repeat there what they were told. */
	char			 host[256];
	struct ehlo		 ehlo;
	struct heard		 heard;		/* in clear */
	struct reply		 reply;

	/* of CLIENT_VERDICT */
	enum client_step	 verdict;	/* the command it answers */
	size_t			 rcpt;		/* index, or CLIENT_ALL */
	bool			 own_verdict;	/* the host was not asked */

	/* of CLIENT_CLOSE */
	enum client_end		 end;
	enum client_step	 at;

	/* inner: the message at hand */
	struct client_message	 msg;
	size_t			 nsent, nanswered, naccepted;	/* RCPTs */
	struct buf		 taken;		/* a byte for each one answered */
	size_t			 final_at;	/* of LMTP */
	uint64_t		 nchunks, nchunk_replies;
	bool			 pipelined;	/* commands go without waiting */
	bool			 chunked;	/* the body goes by BDAT */
	bool			 data_sent;	/* DATA is on its way already */
	bool			 mail_refused;
	bool			 lone_dot;	/* the final dot ends nothing */

	/* inner: the session */
	struct buf		 out;
	uint64_t		 deadline;
	bool			 partial;	/* reply holds the start of one */
	bool			 need_rset;
	bool			 say_verdict, say_body, say_done; /* due at once */
	bool			 say_close;
};

void	client_init(struct client *, const struct client_setup *, uint64_t now);
void	client_free(struct client *);

/* The connection is up only now: the wait for the greeting begins. */
void	client_connected(struct client *, uint64_t now);

/* Reads replies from `in` up to the next event; *used bytes of it were taken.
 * Call again with the rest until it says CLIENT_WAIT (or CLIENT_CLOSE). */
enum client_event	client_next(struct client *, struct span in,
			    size_t *used, uint64_t now);

/* The handshake is done: forget all that came in clear and EHLO again. */
void	client_secured(struct client *, uint64_t now);

/* At CLIENT_IDLE only.  Queues the commands of a transaction; a message that
 * this host can't take gets its verdict without a command: SIZE (5.3.4); 8-bit
 * content without 8BITMIME, which RFC 6152 sec 3 forbids (5.6.3; to convert it
 * is the driver's, see smtp/mime7.h); SMTPUTF8 (5.6.7: there is no way down,
 * RFC 6531 sec 3.2); REQUIRETLS (5.7.30; but reports, whose sender is null and
 * which are no probes, go without it, RFC 8689 sec 5).  All addresses must be
 * client_address_ok(). */
void	client_message(struct client *, const struct client_message *,
	    uint64_t now);
/* Could this be put in a command line without ending it? `utf8`: in one that
 * says SMTPUTF8. */
bool	client_address_ok(struct span, bool utf8);

void	client_body_moved(struct client *, uint64_t now);	/* some of it left */
void	client_body_end(struct client *, uint64_t now);	/* the final dot is queued */
/* Without PIPELINING each chunk waits for the reply to the one before. */
bool	client_chunk_due(const struct client *);
/* Puts the command of a chunk of n bytes into `out`, for them to follow. */
void	client_chunk(struct client *, size_t n, bool last, struct buf *out,
	    uint64_t now);

/* Queue QUIT; the next event is CLIENT_CLOSE. */
void	client_quit(struct client *);
/* The connection ended, or client_deadline() is over: now CLIENT_OVER. */
void	client_lost(struct client *);
void	client_timeout(struct client *);

/* When the wait that is on now ends, or CLIENT_NEVER. */
uint64_t	client_deadline(const struct client *);
struct buf	*client_output(struct client *);

#endif
