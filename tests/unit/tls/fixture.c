/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "fixture.h"

#include <assert.h>
#include <check.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <gnutls/abstract.h>

#include "base/ipc/ipc.h"
#include "tls/fingerprint.h"
#include "tls/session_priv.h"
#include "tls/spki.h"

#define GOT_MAX	(64u << 20)

/* ---- sides ---- */

static void
progress(struct fix *x)
{
	if (x->done != NULL && x->done(x))
		loop_stop(x->loop);
}

static void
side_connected(void *arg)
{
	struct side *s = arg;

	s->connects++;
	progress(s->fix);
}

static void
side_input(void *arg)
{
	struct side *s = arg;
	struct span in = channel_input(s->chan);

	s->inputs++;
	if (s->on_input != NULL) {
		s->on_input(s);
	} else if (!s->keep) {
		ck_assert_int_eq(buf_span(&s->got, in), 0);
		channel_consume(s->chan, in.n);
	}
	progress(s->fix);
}

static void
side_drained(void *arg)
{
	struct side *s = arg;

	s->drains++;
	if (s->on_drained != NULL)
		s->on_drained(s);
	progress(s->fix);
}

static void
side_secured(void *arg)
{
	struct side *s = arg;

	s->secures++;
	if (s->on_secured != NULL)
		s->on_secured(s);
	progress(s->fix);
}

static void
side_ended(void *arg, enum channel_end end, bool in_handshake,
    const struct fault *f)
{
	struct side *s = arg;

	s->ends++;
	s->end = end;
	s->in_handshake = in_handshake;
	s->fault = *f;
	progress(s->fix);
}

const struct channel_ops side_ops = {
	side_connected, side_input, side_drained, side_secured, side_ended,
};

/* ---- the wire ---- */

static void
wire_write(struct wire *w, struct span s)
{
	int fd = loop_io_fd(w->back->from);

	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n == -1 && (errno == EPIPE || errno == ECONNRESET))
			return;		/* that side has closed */
		ck_assert_msg(n > 0, "wire: %s", strerror(errno));
		s = span_skip(s, (size_t)n);
	}
}

void
wire_inject(struct wire *w, struct span s)
{
	wire_write(w, s);
}

void
wire_release(struct wire *w, struct span extra)
{
	w->hold = false;
	ck_assert_int_eq(buf_span(&w->held, extra), 0);
	wire_write(w, buf_get(&w->held));
	buf_reset(&w->held);
}

void
wire_cut(struct wire *w)
{
	shutdown(loop_io_fd(w->back->from), SHUT_WR);
}

static void
wire_ready(void *arg, int events)
{
	static char bytes[65536];
	struct wire *w = arg;
	size_t piece = w->fix->piece;
	ssize_t n;

	(void)events;
	n = recv(loop_io_fd(w->from), bytes,
	    piece < sizeof bytes ? piece : sizeof bytes, MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		w->eof = true;
		loop_io_watch(w->from, 0);
		if (!w->hold)
			wire_cut(w);
		progress(w->fix);
		return;
	}
	buf_add(&w->seen, bytes, (size_t)n);
	if (w->hold)
		buf_add(&w->held, bytes, (size_t)n);
	else
		wire_write(w, span_of(bytes, (size_t)n));
	progress(w->fix);
}

static void
wire_pair(int sv[2])
{
	int size = 256 * 1024;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* ---- credentials ---- */

static int
fix_sign(void *arg, unsigned key, unsigned alg, unsigned flags, bool prehashed,
    struct span data, unsigned char *sig, size_t sig_size)
{
	struct fix *x = arg;
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)data.p,
	    (unsigned)data.n };
	gnutls_datum_t out;
	int rc;

	x->signatures++;
	if (x->sign_fails || key >= TLS_KEY_KINDS)
		return -1;
	if (alg == GNUTLS_SIGN_RSA_RAW)
		flags |= GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA;
	rc = prehashed ?
	    gnutls_privkey_sign_hash2(x->keys[key], alg, flags, &d, &out) :
	    gnutls_privkey_sign_data2(x->keys[key], alg, flags, &d, &out);
	if (rc < 0 || out.size > sig_size)
		return -1;
	memcpy(sig, out.data, out.size);
	gnutls_free(out.data);
	return (int)out.size;
}

static void
fix_key(struct fix *x, enum tls_key_kind kind, struct buf *list)
{
	struct fault f;
	gnutls_x509_privkey_t key = tls_key_generate(kind, &f);
	gnutls_x509_crt_t crt;
	gnutls_datum_t der;
	struct ipc_own_cert own = { .key = kind };
	struct ipc_chain_cert one;
	struct buf chain;

	ck_assert_ptr_nonnull(key);
	crt = tls_cert_selfsign(key, kind, "mx.example.org", time(NULL), &f);
	ck_assert_ptr_nonnull(crt);
	ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER,
	    &der), 0);
	one.der = span_of(der.data, der.size);
	buf_init(&chain, 65536);
	ck_assert_int_eq(ipc_put_chain_cert(&chain, &one), 0);
	own.chain = buf_get(&chain);
	own.label = SPAN_NONE;
	ck_assert(tls_spki(one.der, &own.spki));
	ck_assert(tls_sha256_hex(own.spki, x->spki[kind]));
	ck_assert_int_eq(ipc_put_own_cert(list, &own), 0);
	buf_free(&chain);
	ck_assert_int_eq(gnutls_privkey_init(&x->keys[kind]), 0);
	ck_assert_int_eq(gnutls_privkey_import_x509(x->keys[kind], key,
	    GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE), 0);
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(crt);
}

struct tls_creds *
fix_server_creds(struct fix *x)
{
	const struct tls_signer signer = { fix_sign, x };
	struct fault f;
	struct tls_creds *c = tls_creds_server(buf_get(&x->certs),
	    "mx.example.org", &signer, !x->no_old_versions, &f);

	ck_assert_msg(c != NULL, "%s", f.text);
	return c;
}

static void
fix_creds(struct fix *x, bool ecdsa, bool rsa)
{
	struct fault f;

	buf_init(&x->certs, 65536);
	if (ecdsa)
		fix_key(x, TLS_KEY_ECDSA, &x->certs);
	if (rsa)
		fix_key(x, TLS_KEY_RSA, &x->certs);
	x->server_creds = fix_server_creds(x);
	x->client_creds = tls_creds_client(!x->no_old_versions, &f);
	ck_assert_msg(x->client_creds != NULL, "%s", f.text);
}

void
fix_client_priority(struct fix *x, const char *text)
{
	gnutls_priority_t *p = &x->client_creds->priority[0][0];

	gnutls_priority_deinit(*p);
	ck_assert_int_eq(gnutls_priority_init(p, text, NULL), 0);
}

/* ---- life ---- */

static void
fix_timeout(void *arg)
{
	struct fix *x = arg;

	x->timed_out = true;
	loop_stop(x->loop);
}

static void
fix_begin(struct fix *x, bool ecdsa, bool rsa)
{
	*x = (struct fix){ .piece = 65536,
	    .no_old_versions = x->no_old_versions };
	x->loop = loop_new();
	ck_assert_ptr_nonnull(x->loop);
	x->guard = loop_timer_new(x->loop, fix_timeout, x);
	fix_creds(x, ecdsa, rsa);
	x->client.fix = x->server.fix = x->up.fix = x->down.fix = x;
	buf_init(&x->client.got, GOT_MAX);
	buf_init(&x->server.got, GOT_MAX);
	buf_init(&x->up.seen, GOT_MAX);
	buf_init(&x->up.held, GOT_MAX);
	buf_init(&x->down.seen, GOT_MAX);
	buf_init(&x->down.held, GOT_MAX);
}

static void
fix_wire(struct fix *x)
{
	int a[2], b[2];

	wire_pair(a);
	wire_pair(b);
	x->client.chan = channel_accept(x->loop, a[0], &side_ops, &x->client);
	x->server.chan = channel_accept(x->loop, b[0], &side_ops, &x->server);
	ck_assert(x->client.chan != NULL && x->server.chan != NULL);
	x->up.back = &x->down;
	x->down.back = &x->up;
	x->up.from = loop_io_new(x->loop, a[1], wire_ready, &x->up);
	x->down.from = loop_io_new(x->loop, b[1], wire_ready, &x->down);
	loop_io_watch(x->up.from, LOOP_READ);
	loop_io_watch(x->down.from, LOOP_READ);
}

void
fix_open(struct fix *x, bool ecdsa, bool rsa)
{
	fix_begin(x, ecdsa, rsa);
	fix_wire(x);
}

static void
side_again(struct side *s)
{
	channel_close(&s->chan);
	buf_reset(&s->got);
	s->inputs = s->drains = s->secures = s->connects = s->ends = 0;
}

void
fix_again(struct fix *x)
{
	side_again(&x->client);
	side_again(&x->server);
	loop_io_close(&x->up.from);
	loop_io_close(&x->down.from);
	buf_reset(&x->up.seen);
	buf_reset(&x->down.seen);
	x->up.eof = x->down.eof = false;
	fix_wire(x);
}

static void
fix_accept(void *arg, int events)
{
	struct fix *x = arg;
	int fd = accept4(loop_io_fd(x->listener), NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd == -1)
		return;
	x->server.chan = channel_accept(x->loop, fd, &side_ops, &x->server);
	progress(x);
}

static void
fix_listen(struct fix *x, struct addr *at)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert(addr_parse(SPAN_LIT("127.0.0.1:1"), 0, at));
	at->port = 0;
	n = addr_to_sockaddr(at, &ss);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, n), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	n = sizeof ss;
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	addr_from_sockaddr(at, (struct sockaddr *)&ss);
	x->listener = loop_io_new(x->loop, fd, fix_accept, x);
	loop_io_watch(x->listener, LOOP_READ);
}

static bool
fix_both_connected(struct fix *x)
{
	return x->client.connects > 0 && x->server.chan != NULL;
}

void
fix_open_tcp(struct fix *x, bool ecdsa, bool rsa)
{
	struct addr at, source = { 0 };
	struct fault f;

	fix_begin(x, ecdsa, rsa);
	fix_listen(x, &at);
	ck_assert(addr_parse_ip(SPAN_LIT("127.0.0.7"), &source));
	x->client.chan = channel_connect(x->loop, &at, &source, &side_ops,
	    &x->client, &f);
	ck_assert_ptr_nonnull(x->client.chan);
	fix_run(x, fix_both_connected);
}

void
fix_open_listener(struct fix *x, struct addr *at)
{
	fix_begin(x, true, true);
	fix_listen(x, at);
}

void
fix_close(struct fix *x)
{
	channel_close(&x->client.chan);
	channel_close(&x->server.chan);
	channel_close_lingering(x->loop);
	tls_creds_unref(&x->client_creds);
	tls_creds_unref(&x->server_creds);
	for (unsigned i = 0; i < TLS_KEY_KINDS; i++)
		if (x->keys[i] != NULL)
			gnutls_privkey_deinit(x->keys[i]);
	loop_io_close(&x->listener);
	loop_io_close(&x->up.from);
	loop_io_close(&x->down.from);
	loop_timer_close(&x->guard);
	buf_free(&x->client.got);
	buf_free(&x->server.got);
	buf_free(&x->up.seen);
	buf_free(&x->up.held);
	buf_free(&x->down.seen);
	buf_free(&x->down.held);
	buf_free(&x->certs);
	loop_free(&x->loop);
}

void
fix_run(struct fix *x, bool (*done)(struct fix *))
{
	x->done = done;
	x->timed_out = false;
	loop_timer_set(x->guard, 20000);
	if (!done(x))
		loop_run(x->loop);
	loop_timer_stop(x->guard);
	x->done = NULL;
	ck_assert_msg(!x->timed_out, "nothing happened for too long; client "
	    "ends=%u \"%s\" server ends=%u \"%s\"", x->client.ends,
	    x->client.fault.text, x->server.ends, x->server.fault.text);
}

bool
fix_both_secured(struct fix *x)
{
	return (x->client.secures > 0 && x->server.secures > 0) ||
	    x->client.ends > 0 || x->server.ends > 0;
}

bool
fix_any_ended(struct fix *x)
{
	return x->client.ends > 0 || x->server.ends > 0;
}

bool
fix_both_ended(struct fix *x)
{
	return x->client.ends > 0 && x->server.ends > 0;
}

void
fix_start_server(struct fix *x)
{
	ck_assert_int_eq(channel_start_server(x->server.chan, x->server_creds,
	    x->ask_certificate), 0);
}

void
fix_start_client(struct fix *x, const char *sni, bool reduced)
{
	const struct tls_offer offer = { .sni = sni, .reduced = reduced,
	    .strict = x->strict, .tickets = x->want_tickets,
	    .resume = x->resume };

	ck_assert_int_eq(channel_start_client(x->client.chan, x->client_creds,
	    &offer), 0);
}

void
fix_handshake(struct fix *x, const char *sni, bool reduced)
{
	fix_start_server(x);
	fix_start_client(x, sni, reduced);
	fix_run(x, fix_both_secured);
	ck_assert_msg(x->client.secures == 1 && x->server.secures == 1,
	    "client: %s; server: %s", x->client.fault.text,
	    x->server.fault.text);
}
