/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/session.c - see session.h. */
#include "tls/session_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <gnutls/crypto.h>

#include "base/net.h"
#include "tls/guard.h"

/* Of all messages of a handshake together: twenty times what a mail server
 * sends.  GnuTLS bounds each one only. */
#define HANDSHAKE_MAX	(64 * 1024)
/* Warning alerts and wishes to renegotiate cost us work and carry no mail. */
#define NUISANCES_MAX	4
/* A weak group still hides mail from whoever only listens; the alternative at
 * the opportunistic level is clear text (RFC 7435 sec 3). */
#define WEAK_DH_BITS	512

#define RECORD_HANDSHAKE	22	/* RFC 8446 sec 5.1 */
#define RECORD_ALERT		21
#define RECORD_SSL2		0x80	/* hello of RFC 5246 app E.2, and above */

/* ---- transport ---- */

static int
handshake_bytes(struct tls_session *s, size_t n)
{
	uint8_t first = (uint8_t)s->wire->rx.p[0];

	if (s->taken == 0)
		s->plain_text = first != RECORD_HANDSHAKE &&
		    first != RECORD_ALERT && first < RECORD_SSL2;
	s->taken += n;
	if (s->taken <= HANDSHAKE_MAX)
		return 0;
	s->objection = "more than 64 KiB";
	return -1;
}

static ssize_t
wire_pull(gnutls_transport_ptr_t p, void *to, size_t n)
{
	struct tls_session *s = p;
	struct tls_wire *w = s->wire;

	if (w->rx.n == 0) {
		if (w->eof)
			return 0;
		gnutls_transport_set_errno(s->g, EAGAIN);
		return -1;
	}
	if (n > w->rx.n)
		n = w->rx.n;
	if (s->shaking && handshake_bytes(s, n) == -1) {
		gnutls_transport_set_errno(s->g, EMSGSIZE);
		return -1;
	}
	memcpy(to, w->rx.p, n);
	w->rx = span_skip(w->rx, n);
	return (ssize_t)n;
}

/* GnuTLS's own would poll the transport pointer as if it were a descriptor. */
static int
wire_pull_timeout(gnutls_transport_ptr_t p, unsigned ms)
{
	struct tls_session *s = p;

	(void)ms;
	return s->wire->rx.n > 0 || s->wire->eof;
}

/* Always takes everything: a record left inside GnuTLS would have to be driven
 * by empty sends.  Back-pressure is the channel's, by queued bytes. */
static ssize_t
wire_push(gnutls_transport_ptr_t p, const giovec_t *v, int n)
{
	struct tls_session *s = p;
	size_t sum = 0;

	for (int i = 0; i < n; i++) {
		if (buf_add(s->wire->tx, v[i].iov_base, v[i].iov_len) == -1) {
			gnutls_transport_set_errno(s->g, ENOBUFS);
			return -1;
		}
		sum += v[i].iov_len;
	}
	return (ssize_t)sum;
}

/* ---- life ---- */

static int
on_message(gnutls_session_t g, unsigned type, unsigned when, unsigned incoming,
    const gnutls_datum_t *body)
{
	struct tls_session *s = gnutls_session_get_ptr(g);
	struct span b = span_of(body->data, body->size);
	gnutls_kx_algorithm_t kx;

	(void)when;
	if (!incoming)
		return 0;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT) {
		s->objection = tls_guard_certificate(b,
		    gnutls_protocol_get_version(g) == GNUTLS_TLS1_3);
	} else if (type == GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE) {
		kx = gnutls_kx_get(g);
		if (kx == GNUTLS_KX_DHE_RSA || kx == GNUTLS_KX_DHE_DSS)
			s->objection = tls_guard_dh(b);
	}
	return s->objection == NULL ? 0 : GNUTLS_E_HANDSHAKE_TOO_LARGE;
}

/* Another certificate for another name; what nobody has the name for is not a
 * reason to refuse (RFC 8461 sec 7.1). */
static int
on_client_hello(gnutls_session_t g)
{
	struct tls_session *s = gnutls_session_get_ptr(g);
	char name[256];
	size_t n = sizeof name;
	unsigned type = 0;

	if (gnutls_server_name_get(g, name, &n, &type, 0) < 0 ||
	    type != GNUTLS_NAME_DNS)
		return 0;
	return gnutls_credentials_set(g, GNUTLS_CRD_CERTIFICATE,
	    tls_creds_for_name(s->creds, span_of(name, n)));
}

static struct tls_session *
session_new(struct tls_creds *creds, struct tls_wire *wire, unsigned flags,
    gnutls_priority_t priority)
{
	struct tls_session *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->wire = wire;
	s->shaking = true;
	if (gnutls_init(&s->g, flags | GNUTLS_NONBLOCK) < 0) {
		free(s);
		return NULL;
	}
	s->creds = tls_creds_ref(creds);
	if (gnutls_priority_set(s->g, priority) < 0 ||
	    gnutls_credentials_set(s->g, GNUTLS_CRD_CERTIFICATE,
	    creds->cert) < 0) {
		tls_session_free(&s);
		return NULL;
	}
	gnutls_session_set_ptr(s->g, s);
	gnutls_handshake_set_hook_function(s->g, GNUTLS_HANDSHAKE_ANY,
	    GNUTLS_HOOK_PRE, on_message);
	gnutls_transport_set_ptr(s->g, s);
	gnutls_transport_set_pull_function(s->g, wire_pull);
	gnutls_transport_set_pull_timeout_function(s->g, wire_pull_timeout);
	gnutls_transport_set_vec_push_function(s->g, wire_push);
	gnutls_handshake_set_max_packet_length(s->g, HANDSHAKE_MAX);
	return s;
}

struct tls_session *
tls_session_server(struct tls_creds *creds, struct tls_wire *wire,
    bool ask_certificate)
{
	const gnutls_datum_t key = { creds->ticket_key,
	    sizeof creds->ticket_key };
	struct tls_session *s;

	assert(creds->server);
	s = session_new(creds, wire, GNUTLS_SERVER |
	    (creds->tickets ? 0 : GNUTLS_NO_TICKETS), creds->priority[0][0]);
	if (s == NULL)
		return NULL;
	gnutls_certificate_server_set_request(s->g, ask_certificate ?
	    GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
	gnutls_handshake_set_post_client_hello_function(s->g, on_client_hello);
	if (creds->tickets &&
	    gnutls_session_ticket_enable_server(s->g, &key) < 0)
		tls_session_free(&s);
	return s;
}

static void
set_server_name(gnutls_session_t g, struct span name)
{
	struct addr literal;

	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	/* RFC 6066 sec 3: literals are not permitted in server_name. */
	if (name.n == 0 || name.p[0] == '[' || addr_parse_ip(name, &literal))
		return;
	/* A name that GnuTLS will not send is a reason to send none, not to
	 * fall back to clear text. */
	(void)gnutls_server_name_set(g, GNUTLS_NAME_DNS, name.p, name.n);
}

struct tls_session *
tls_session_client(struct tls_creds *creds, struct tls_wire *wire,
    const struct tls_offer *offer)
{
	bool tickets = offer->tickets && !offer->reduced;
	struct tls_session *s;

	assert(!creds->server);
	s = session_new(creds, wire, GNUTLS_CLIENT |
	    (tickets ? 0 : GNUTLS_NO_TICKETS),
	    creds->priority[offer->strict][offer->reduced]);
	if (s == NULL)
		return NULL;
	if (!offer->strict)
		gnutls_dh_set_prime_bits(s->g, WEAK_DH_BITS);
	/* What GnuTLS cannot use leads to a full handshake. */
	if (tickets && offer->resume.n > 0)
		(void)gnutls_session_set_data(s->g, offer->resume.p,
		    offer->resume.n);
	set_server_name(s->g, span_str(offer->sni));
	return s;
}

void
tls_session_free(struct tls_session **sp)
{
	struct tls_session *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	gnutls_deinit(s->g);
	tls_creds_unref(&s->creds);
	free(s);
}

/* ---- work ---- */

static enum tls_step
session_failed(struct tls_session *s, const char *what, int rc,
    struct fault *f)
{
	const char *alert = NULL, *text = gnutls_strerror(rc);
	size_t n;

	if (s->objection != NULL)
		text = s->objection;
	else if (s->plain_text)
		text = "it is plain text, not TLS";
	n = strlen(text);
	if (n > 0 && text[n - 1] == '.')
		n--;
	if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
		alert = gnutls_alert_get_name(gnutls_alert_get(s->g));
	else if (rc != GNUTLS_E_PREMATURE_TERMINATION)
		(void)gnutls_alert_send_appropriate(s->g, rc);
	fault_set(f, FAULT_TEMP, 0, "4.7.0", "%s: %.*s%s%s", what, (int)n, text,
	    alert == NULL ? "" : ": ", alert == NULL ? "" : alert);
	return TLS_FAILED;
}

/* Whether rc is something to go on after. */
static bool
session_nuisance(struct tls_session *s, int rc)
{
	if (rc == GNUTLS_E_INTERRUPTED)
		return true;
	if (++s->nuisances > NUISANCES_MAX)
		return false;
	if (rc == GNUTLS_E_REHANDSHAKE) {
		/* SMTP needs none; a peer may be refused (RFC 5246 sec 7.4.1.1). */
		(void)gnutls_alert_send(s->g, GNUTLS_AL_WARNING,
		    GNUTLS_A_NO_RENEGOTIATION);
		return true;
	}
	return rc == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

/* Whether EAGAIN means that more must come.  GnuTLS also says it after each
 * message that is not for us (a TLS 1.3 ticket), with the next record lying
 * there. */
static bool
session_starved(const struct tls_session *s, size_t rx_before)
{
	return s->wire->rx.n == 0 || s->wire->rx.n == rx_before;
}

enum tls_step
tls_session_handshake(struct tls_session *s, struct fault *f)
{
	for (;;) {
		size_t before = s->wire->rx.n;
		int rc = gnutls_handshake(s->g);

		if (rc == GNUTLS_E_SUCCESS) {
			s->shaking = false;
			return TLS_DONE;
		}
		if (rc == GNUTLS_E_AGAIN && session_starved(s, before))
			return TLS_WAIT;
		if (rc == GNUTLS_E_AGAIN)
			continue;
		if (!gnutls_error_is_fatal(rc) && session_nuisance(s, rc))
			continue;
		return session_failed(s, "TLS handshake", rc, f);
	}
}

enum tls_step
tls_session_recv(struct tls_session *s, char *to, size_t n, size_t *got,
    struct fault *f)
{
	for (;;) {
		size_t before = s->wire->rx.n;
		ssize_t rc = gnutls_record_recv(s->g, to, n);

		if (rc > 0) {
			*got = (size_t)rc;
			return TLS_DONE;
		}
		if (rc == 0)
			return TLS_CLOSED;
		if (rc == GNUTLS_E_AGAIN && session_starved(s, before))
			return TLS_WAIT;
		if (rc == GNUTLS_E_AGAIN)
			continue;
		if (!gnutls_error_is_fatal((int)rc) &&
		    session_nuisance(s, (int)rc))
			continue;
		return session_failed(s, "TLS", (int)rc, f);
	}
}

size_t
tls_session_pending(const struct tls_session *s)
{
	return gnutls_record_check_pending(s->g);
}

int
tls_session_send(struct tls_session *s, struct span data, struct fault *f)
{
	while (data.n > 0) {
		ssize_t rc = gnutls_record_send(s->g, data.p, data.n);

		if (rc == GNUTLS_E_INTERRUPTED)
			continue;
		if (rc <= 0) {		/* never EAGAIN: wire_push takes all */
			(void)session_failed(s, "TLS", (int)rc, f);
			return -1;
		}
		data = span_skip(data, (size_t)rc);
	}
	return 0;
}

int
tls_session_resumable(const struct tls_session *s, struct buf *to)
{
	bool ticket = gnutls_session_get_flags(s->g) &
	    GNUTLS_SFLAGS_SESSION_TICKET;
	gnutls_datum_t d;
	int rc;

	/* Without the flag it "works" in TLS 1.3 too, and gives four bytes. */
	if (!ticket && gnutls_protocol_get_version(s->g) == GNUTLS_TLS1_3)
		return 0;
	if (!ticket && (gnutls_session_get_id2(s->g, &d) < 0 || d.size == 0))
		return 0;
	if (gnutls_session_get_data2(s->g, &d) < 0)
		return 0;
	rc = buf_add(to, d.data, d.size) == 0 ? 1 : -1;
	gnutls_memset(d.data, 0, d.size);
	gnutls_free(d.data);
	return rc;
}

void
tls_session_bye(struct tls_session *s)
{
	(void)gnutls_bye(s->g, GNUTLS_SHUT_WR);
}
