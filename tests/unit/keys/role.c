/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* role.c - the keys role in a process of its own, asked as smtpd asks it:
 * what it signs, what it refuses, and whole handshakes with its signatures. */
#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gnutls/crypto.h>

#include "keys/keys.h"
#include "keys/store.h"
#include "tests/unit/suite.h"
#include "tls/session_priv.h"

#define ECDSA		0
#define RSA		1

struct rig {
	char		 state[64];
	pid_t		 keys;
	int		 parent, smtpd;		/* our ends */
	struct buf	 certs;
	uint64_t	 txn;
} rig;

/* ---- the other process ---- */

static struct role_env env;

static void
to_handler(void *ctx, struct link *l, struct ipc_msg *m)
{
	struct role_env *e = ctx;

	for (size_t i = 0; i < e->ops->nhandlers; i++)
		if (e->ops->handlers[i].type == m->type)
			e->ops->handlers[i].run(e, l, m);
}

static void
gone(void *ctx, struct link *l, const char *why)
{
	struct role_env *e = ctx;

	(void)why;
	if (l == e->parent) {
		e->parent = NULL;
		loop_stop(e->loop);
	} else {
		e->peer[ROLE_SMTPD][1] = NULL;
	}
}

static const struct link_ops ops = { to_handler, NULL, gone };

static void
keys_main(int parent, int smtpd)
{
	struct conf conf = { .hostname = "mx1.example.org",
	    .state_directory = rig.state };
	struct fault f;

	env = (struct role_env){ .role = ROLE_KEYS, .index = 1,
	    .conf = &conf, .ops = &keys_ops, .keys_fd = -1 };
	env.loop = loop_new();
	env.parent = link_new(env.loop, parent, ROLE_KEYS, ROLE_PARENT, 0, &ops,
	    &env);
	if (keys_ops.start(&env, &f) != 0)
		_exit(1);
	env.peer[ROLE_SMTPD][1] = link_new(env.loop, smtpd, ROLE_KEYS,
	    ROLE_SMTPD, 1, &ops, &env);
	loop_run(env.loop);
	link_close(&env.peer[ROLE_SMTPD][1]);
	keys_ops.stop(&env);
	loop_free(&env.loop);
	_exit(env.state == NULL ? 0 : 2);
}

/* ---- our side ---- */

static void
take_certs(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)l;
	ck_assert_int_eq(m->type, IPC_KEY_CERTS);
	ck_assert_int_eq(buf_span(&rig.certs, m->u.key_certs.certs), 0);
	loop_stop(ctx);
}

static void
keys_died(void *ctx, struct link *l, const char *why)
{
	(void)l;
	loop_stop(ctx);
	ck_abort_msg("keys is gone: %s", why);
}

static void
wait_for_certs(int fd)
{
	static const struct link_ops parent_ops = { take_certs, NULL,
	    keys_died };
	struct loop *loop = loop_new();
	struct link *l = link_new(loop, dup(fd), ROLE_PARENT, ROLE_KEYS, 1,
	    &parent_ops, loop);

	loop_run(loop);
	link_close(&l);
	loop_free(&loop);
}

static void
rig_make(void)
{
	char dir[128];

	snprintf(rig.state, sizeof rig.state, "/tmp/sealane-keys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig.state));
	snprintf(dir, sizeof dir, "%s/keys", rig.state);
	ck_assert_int_eq(mkdir(dir, 0750), 0);
}

static void
rig_start(void)
{
	struct timeval limit = { .tv_sec = 5 };
	int up[2], side[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    up), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    side), 0);
	rig.keys = fork();
	ck_assert_int_ne(rig.keys, -1);
	if (rig.keys == 0) {
		close(up[0]);
		close(side[0]);
		keys_main(up[1], side[1]);
	}
	close(up[1]);
	close(side[1]);
	rig.parent = up[0];
	rig.smtpd = side[0];
	setsockopt(rig.smtpd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	buf_init(&rig.certs, KEYS_CERTS_MAX);
	wait_for_certs(rig.parent);
}

static void
rig_open(void)
{
	rig_make();
	rig_start();
}

static void
rig_close(void)
{
	char path[PATH_MAX];
	struct dirent *e;
	int status;
	DIR *d;

	close(rig.parent);
	close(rig.smtpd);
	ck_assert_int_eq(waitpid(rig.keys, &status, 0), rig.keys);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "keys ended with %#x", (unsigned)status);
	buf_free(&rig.certs);
	snprintf(path, sizeof path, "%s/keys", rig.state);
	d = opendir(path);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/keys/%s", rig.state, e->d_name);
		(void)unlink(path);
	}
	closedir(d);
	snprintf(path, sizeof path, "%s/keys", rig.state);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(rig.state), 0);
}

static int
ask(void *arg, unsigned key, unsigned alg, unsigned flags, bool prehashed,
    struct span data, unsigned char *sig, size_t sig_size)
{
	static char mem[IPC_FRAME_MAX];
	struct ipc_key_sign m = { .txn = ++rig.txn, .key = key, .alg = alg,
	    .flags = flags, .prehashed = prehashed, .data = data };
	struct ipc_msg reply;

	(void)arg;
	if (ipc_call_key_sign(rig.smtpd, &m, &reply, mem) == -1 ||
	    reply.u.key_signed.ok != 1 ||
	    reply.u.key_signed.signature.n > sig_size)
		return -1;
	memcpy(sig, reply.u.key_signed.signature.p,
	    reply.u.key_signed.signature.n);
	return (int)reply.u.key_signed.signature.n;
}

/* ---- single signatures ---- */

static gnutls_pubkey_t
public_of(unsigned key)
{
	struct span list = buf_get(&rig.certs);
	struct ipc_own_cert own;
	gnutls_pubkey_t pub;
	gnutls_datum_t d;

	while (ipc_get_own_cert(&list, &own) == 1 && own.key != key)
		;
	ck_assert_uint_eq(own.key, key);
	d.data = (unsigned char *)(uintptr_t)own.spki.p;
	d.size = (unsigned)own.spki.n;
	ck_assert_int_eq(gnutls_pubkey_init(&pub), 0);
	ck_assert_int_eq(gnutls_pubkey_import(pub, &d, GNUTLS_X509_FMT_DER), 0);
	return pub;
}

/* SHA-256 DigestInfo (RFC 8017 sec 9.2) with room for what spoils it. */
#define DI_SHA256 "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" \
    "\x01\x05\x00\x04\x20"
#define H20 "01234567890123456789"
#define H32 "01234567890123456789012345678901"
#define H48 H32 "0123456789012345"
#define H64 H32 H32

static const struct sign_row {
	const char	*name;
	unsigned	 key, alg, flags;
	bool		 prehashed;
	struct span	 data;
	bool		 ok;
} sign_rows[] = {
	{ "ECDSA-SHA256", ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 0, true, { H32, 32 }, true },
	{ "ECDSA-SECP256R1-SHA256", ECDSA, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256,
	    0, true, { H32, 32 }, true },
	{ "ECDSA-SHA1", ECDSA, GNUTLS_SIGN_ECDSA_SHA1, 0, true, { H20, 20 }, true },
	{ "ECDSA-SHA512", ECDSA, GNUTLS_SIGN_ECDSA_SHA512, 0, true, { H64, 64 }, true },
	{ "ECDSA over data", ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 0, false, { "abc", 3 }, true },
	{ "PSS-SHA256", RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 0, true, { H32, 32 }, true },
	{ "PSS-SHA512", RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 0, true, { H64, 64 }, true },
	{ "RSA-SHA256", RSA, GNUTLS_SIGN_RSA_SHA256, 0, true, { H32, 32 }, true },
	{ "DigestInfo", RSA, GNUTLS_SIGN_RSA_RAW, 0, true, { DI_SHA256 H32, 19 + 32 }, true },
	{ "MD5 and SHA-1", RSA, GNUTLS_SIGN_RSA_RAW, 0, true, { H20 H20, 36 }, true },

	{ "RSA algorithm, ECDSA key", ECDSA, GNUTLS_SIGN_RSA_SHA256, 0, true, { H32, 32 }, false },
	{ "raw, ECDSA key", ECDSA, GNUTLS_SIGN_RSA_RAW, 0, true, { H20 H20, 36 }, false },
	{ "ECDSA algorithm, RSA key", RSA, GNUTLS_SIGN_ECDSA_SHA256, 0, true, { H32, 32 }, false },
	{ "no such key", 2, GNUTLS_SIGN_ECDSA_SHA256, 0, true, { H32, 32 }, false },
	{ "key out of all bounds", 0xffffffff, GNUTLS_SIGN_ECDSA_SHA256, 0,
	    true, { H32, 32 }, false },
	{ "no such algorithm", ECDSA, 9999, 0, true, { H32, 32 }, false },
	{ "algorithm 0", ECDSA, 0, 0, true, { H32, 32 }, false },
	{ "RSA-MD5", RSA, GNUTLS_SIGN_RSA_MD5, 0, true, { H32, 16 }, false },
	{ "short hash", ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 0, true, { H32, 31 }, false },
	{ "long hash", ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 0, true, { H48, 48 }, false },
	{ "no hash", ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 0, true, { "", 0 }, false },
	{ "flags", RSA, GNUTLS_SIGN_RSA_SHA256,
	    GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA, true, { H32, 32 }, false },
	{ "raw bytes", RSA, GNUTLS_SIGN_RSA_RAW, 0, true, { H32, 32 }, false },
	{ "raw, a block for decryption", RSA, GNUTLS_SIGN_RSA_RAW, 0, true,
	    { H64 H64 H64 H64, 245 }, false },
	{ "raw, unhashed", RSA, GNUTLS_SIGN_RSA_RAW, 0, false, { H20 H20, 36 }, false },
	{ "DigestInfo and more", RSA, GNUTLS_SIGN_RSA_RAW, 0, true,
	    { DI_SHA256 H32 "x", 19 + 33 }, false },
	{ "DigestInfo cut", RSA, GNUTLS_SIGN_RSA_RAW, 0, true,
	    { DI_SHA256 H32, 19 + 31 }, false },
	{ "DigestInfo in BER", RSA, GNUTLS_SIGN_RSA_RAW, 0, true,
	    { "\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
	    "\x01\x05\x00\x04\x20" H32, 20 + 32 }, false },
};

static void
verify(const struct sign_row *r, const unsigned char *sig, size_t n)
{
	gnutls_pubkey_t pub = public_of(r->key);
	const gnutls_datum_t s = { (unsigned char *)(uintptr_t)sig,
	    (unsigned)n };
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)r->data.p,
	    (unsigned)r->data.n };
	gnutls_sign_algorithm_t alg = (gnutls_sign_algorithm_t)r->alg;
	unsigned flags = 0;

	if (r->alg == GNUTLS_SIGN_RSA_RAW && r->data.n == 36) {
		flags = GNUTLS_VERIFY_USE_TLS1_RSA;
	} else if (r->alg == GNUTLS_SIGN_RSA_RAW) {
		alg = GNUTLS_SIGN_RSA_SHA256;
		d.data += 19;
		d.size -= 19;
	}
	flags |= GNUTLS_VERIFY_ALLOW_BROKEN;
	ck_assert_int_ge(r->prehashed ?
	    gnutls_pubkey_verify_hash2(pub, alg, flags, &d, &s) :
	    gnutls_pubkey_verify_data2(pub, alg, flags, &d, &s), 0);
	gnutls_pubkey_deinit(pub);
}

/* All rows on one process, so that a refusal is seen to end nothing. */
START_TEST(signatures)
{
	unsigned char sig[1024];

	rig_open();
	for (size_t i = 0; i < NELEM(sign_rows); i++) {
		const struct sign_row *r = &sign_rows[i];
		int n = ask(NULL, r->key, r->alg, r->flags, r->prehashed,
		    r->data, sig, sizeof sig);

		ck_assert_msg((n > 0) == r->ok, "%s: %d", r->name, n);
		if (n > 0)
			verify(r, sig, (size_t)n);
	}
	rig_close();
}
END_TEST

static void
large_rsa_key(void)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t pem;
	char path[128];
	FILE *f;

	ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
	ck_assert_int_eq(gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 4096,
	    0), 0);
	ck_assert_int_eq(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM,
	    &pem), 0);
	snprintf(path, sizeof path, "%s/keys/rsa.key", rig.state);
	umask(077);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(pem.data, 1, pem.size, f), pem.size);
	ck_assert_int_eq(fclose(f), 0);
	gnutls_free(pem.data);
	gnutls_x509_privkey_deinit(key);
}

/* Asked without a pause for what is dear: some of it is refused, and what is
 * cheap goes on. */
START_TEST(rsa_is_capped)
{
	unsigned char sig[1024];
	const struct span hash = SPAN_LIT(H32);
	unsigned n = 0;

	rig_make();
	large_rsa_key();
	rig_start();
	/* Each is worth eight of 2048 bits, so no machine is too slow. */
	while (n < 5000 && ask(NULL, RSA, GNUTLS_SIGN_RSA_SHA256, 0, true,
	    hash, sig, sizeof sig) > 0)
		n++;
	ck_assert_uint_ge(n, 300 / 8);
	ck_assert_uint_lt(n, 5000);
	ck_assert_int_gt(ask(NULL, ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 0, true,
	    hash, sig, sizeof sig), 0);
	rig_close();
}
END_TEST

/* ---- whole handshakes ---- */

static const struct shake {
	const char	*name, *priority;
	gnutls_protocol_t version;
	gnutls_sign_algorithm_t sign;
} shakes[] = {
	{ "1.3 ECDSA", "NORMAL", GNUTLS_TLS1_3,
	    GNUTLS_SIGN_ECDSA_SECP256R1_SHA256 },
	{ "1.3 RSA-PSS", "NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:"
	    "+SIGN-RSA-SHA256", GNUTLS_TLS1_3, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256 },
	{ "1.3 RSA-PSS SHA-512", "NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA512:"
	    "+SIGN-RSA-SHA256", GNUTLS_TLS1_3, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512 },
	{ "1.2 ECDSA", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:"
	    "+SIGN-ECDSA-SHA256", GNUTLS_TLS1_2, GNUTLS_SIGN_ECDSA_SHA256 },
	{ "1.2 RSA", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-ECDHE-ECDSA:-SIGN-ALL:"
	    "+SIGN-RSA-SHA256", GNUTLS_TLS1_2, GNUTLS_SIGN_RSA_SHA256 },
	{ "1.2 RSA-PSS", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-ECDHE-ECDSA:"
	    "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256", GNUTLS_TLS1_2,
	    GNUTLS_SIGN_RSA_PSS_RSAE_SHA256 },
	{ "1.0 ECDSA", "NORMAL:-VERS-ALL:+VERS-TLS1.0", GNUTLS_TLS1_0, 0 },
	{ "1.0 RSA", "NORMAL:-VERS-ALL:+VERS-TLS1.0:-ECDHE-ECDSA",
	    GNUTLS_TLS1_0, 0 },
};

static void
carry(struct buf *from, struct tls_wire *to, struct buf *kept)
{
	ck_assert_uint_eq(to->rx.n, 0);
	buf_reset(kept);
	ck_assert_int_eq(buf_span(kept, buf_get(from)), 0);
	buf_reset(from);
	to->rx = buf_get(kept);
}

static void
shake(struct tls_creds *server_creds, const struct shake *r)
{
	struct buf up, down, up_kept, down_kept;
	struct tls_wire sw = { .rx = SPAN_NONE, .tx = &down };
	struct tls_wire cw = { .rx = SPAN_NONE, .tx = &up };
	struct tls_creds *creds = tls_creds_client(true, NULL);
	struct tls_session *s, *c;
	enum tls_step ss = TLS_WAIT, cs = TLS_WAIT;
	struct fault f = { 0 };

	buf_init(&up, 1 << 20);
	buf_init(&down, 1 << 20);
	buf_init(&up_kept, 1 << 20);
	buf_init(&down_kept, 1 << 20);
	gnutls_priority_deinit(creds->priority[0][0]);
	ck_assert_int_eq(gnutls_priority_init(&creds->priority[0][0],
	    r->priority, NULL), 0);
	s = tls_session_server(server_creds, &sw, false);
	c = tls_session_client(creds, &cw,
	    &(struct tls_offer){ .sni = "mx1.example.org" });
	for (int i = 0; i < 10 && (ss == TLS_WAIT || cs == TLS_WAIT); i++) {
		if (cs == TLS_WAIT)
			cs = tls_session_handshake(c, &f);
		carry(&up, &sw, &up_kept);
		if (ss == TLS_WAIT)
			ss = tls_session_handshake(s, &f);
		carry(&down, &cw, &down_kept);
	}
	ck_assert_msg(ss == TLS_DONE && cs == TLS_DONE, "%s: %s", r->name,
	    f.text);
	ck_assert_int_eq(gnutls_protocol_get_version(c->g), r->version);
	if (r->sign != 0)
		ck_assert_msg(gnutls_sign_algorithm_get(c->g) == (int)r->sign,
		    "%s: %s", r->name, gnutls_sign_get_name(
		    (gnutls_sign_algorithm_t)gnutls_sign_algorithm_get(c->g)));
	tls_session_free(&s);
	tls_session_free(&c);
	tls_creds_unref(&creds);
	buf_free(&up);
	buf_free(&down);
	buf_free(&up_kept);
	buf_free(&down_kept);
}

START_TEST(handshakes)
{
	const struct tls_signer signer = { ask, NULL };
	struct tls_creds *creds;
	struct fault f;

	rig_open();
	creds = tls_creds_server(buf_get(&rig.certs),
	    "mx1.example.org", &signer, true, &f);
	ck_assert_msg(creds != NULL, "%s", f.text);
	for (size_t i = 0; i < NELEM(shakes); i++)
		shake(creds, &shakes[i]);
	tls_creds_unref(&creds);
	rig_close();
}
END_TEST

/* Loading makes a trial signature: no keys process, no credentials. */
START_TEST(no_answer_no_credentials)
{
	const struct tls_signer signer = { ask, NULL };
	struct fault f = { 0 };
	int smtpd;

	rig_open();
	smtpd = rig.smtpd;
	shutdown(smtpd, SHUT_RDWR);
	ck_assert_ptr_null(tls_creds_server(buf_get(&rig.certs),
	    "mx1.example.org", &signer, true, &f));
	ck_assert_str_ne(f.text, "");
	ck_assert_ptr_null(tls_creds_server(SPAN_NONE, "a.example", &signer, true,
	    &f));
	ck_assert_str_eq(f.text, "no certificate was given");
	ck_assert_ptr_null(tls_creds_server(SPAN_LIT("nonsense"), "a.example",
	    &signer, true, &f));
	rig_close();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keys/role");
	TCase *tc = tcase_create("role");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, signatures);
	tcase_add_test(tc, rsa_is_capped);
	tcase_add_test(tc, handshakes);
	tcase_add_test(tc, no_answer_no_credentials);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
