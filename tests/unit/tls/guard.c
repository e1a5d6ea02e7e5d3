/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* guard.c - peers whose handshake costs more than mail is worth: chains and
 * numbers that no server needs, and the weak groups that old ones have. */
#include "fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <gnutls/crypto.h>

#include "tls/channel_priv.h"
#include "tls/guard.h"
#include "tls/session_priv.h"

static struct fix x;

/* ---- a server's credentials, made as an attacker would ---- */

static gnutls_x509_privkey_t ca;
static gnutls_x509_crt_t ca_crt;

/* Gives these instead of what the fixture's server has. */
static gnutls_certificate_credentials_t
hostile_creds(void)
{
	gnutls_certificate_credentials_t *c = &x.server_creds->cert;

	gnutls_certificate_free_credentials(*c);
	ck_assert_int_eq(gnutls_certificate_allocate_credentials(c), 0);
	gnutls_certificate_set_flags(*c, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	return *c;
}

static void
ca_make(void)
{
	struct fault f;

	ca = tls_key_generate(TLS_KEY_ECDSA, &f);
	ca_crt = tls_cert_selfsign(ca, TLS_KEY_ECDSA, "ca.example",
	    time(NULL), &f);
	ck_assert(ca != NULL && ca_crt != NULL);
}

static void
ca_free(void)
{
	gnutls_x509_privkey_deinit(ca);
	gnutls_x509_crt_deinit(ca_crt);
}

/* One's bits are all set: an odd number of so many bits. */
static gnutls_datum_t
number(size_t bits)
{
	gnutls_datum_t d = { malloc(bits / 8), (unsigned)(bits / 8) };

	ck_assert_ptr_nonnull(d.data);
	memset(d.data, 0xff, d.size);
	return d;
}

/* A certificate for an RSA key that nobody has. */
static gnutls_x509_crt_t
forged_rsa(size_t modulus_bits, size_t exponent_bits)
{
	static unsigned char f4[] = { 1, 0, 1 };
	gnutls_datum_t m = number(modulus_bits);
	gnutls_datum_t e = { f4, sizeof f4 };
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t pub;

	if (exponent_bits > 17)
		e = number(exponent_bits);
	ck_assert_int_eq(gnutls_pubkey_init(&pub), 0);
	ck_assert_int_eq(gnutls_pubkey_import_rsa_raw(pub, &m, &e), 0);
	ck_assert_int_eq(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\x01", 1);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 1000);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 100000);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
	    "big.example", 11);
	ck_assert_int_eq(gnutls_x509_crt_set_pubkey(crt, pub), 0);
	ck_assert_int_eq(gnutls_x509_crt_sign2(crt, ca_crt, ca,
	    GNUTLS_DIG_SHA256, 0), 0);
	gnutls_pubkey_deinit(pub);
	if (e.data != f4)
		free(e.data);
	free(m.data);
	return crt;
}

static size_t forged_bits;

/* A signature that is none, of the right length. */
static int
forged_sign(gnutls_privkey_t key, gnutls_sign_algorithm_t alg, void *arg,
    unsigned flags, const gnutls_datum_t *hash, gnutls_datum_t *sig)
{
	(void)key, (void)alg, (void)arg, (void)flags, (void)hash;
	sig->size = (unsigned)(forged_bits / 8);
	sig->data = gnutls_malloc(sig->size);
	memset(sig->data, 0x55, sig->size);
	return 0;
}

static int
forged_info(gnutls_privkey_t key, unsigned flags, void *arg)
{
	(void)key, (void)arg;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_RSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)forged_bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return gnutls_sign_supports_pk_algorithm(
		    GNUTLS_FLAGS_TO_SIGN_ALGO(flags), GNUTLS_PK_RSA) != 0;
	return -1;
}

static void
serve_forged(size_t modulus_bits, size_t exponent_bits)
{
	gnutls_x509_crt_t crt = forged_rsa(modulus_bits, exponent_bits);
	gnutls_certificate_credentials_t c = hostile_creds();
	gnutls_pcert_st pcert;
	gnutls_privkey_t key;

	forged_bits = modulus_bits;
	ck_assert_int_eq(gnutls_pcert_import_x509(&pcert, crt, 0), 0);
	ck_assert_int_eq(gnutls_privkey_init(&key), 0);
	ck_assert_int_eq(gnutls_privkey_import_ext4(key, NULL, forged_sign,
	    forged_sign, NULL, NULL, forged_info, 0), 0);
	ck_assert_int_eq(gnutls_certificate_set_key(c, NULL, 0, &pcert, 1, key),
	    0);
	gnutls_x509_crt_deinit(crt);
}

/* A good key behind a chain of `n` certificates, padded to `bytes` each. */
static void
serve_chain(unsigned n, unsigned bytes)
{
	gnutls_certificate_credentials_t c = hostile_creds();
	gnutls_x509_crt_t chain[128];
	char *pad = malloc(bytes + 1);

	ck_assert_uint_le(n, 128);
	memset(pad, 'x', bytes);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(gnutls_x509_crt_init(&chain[i]), 0);
		gnutls_x509_crt_set_version(chain[i], 3);
		gnutls_x509_crt_set_serial(chain[i], "\x01", 1);
		gnutls_x509_crt_set_activation_time(chain[i], 1750000000);
		gnutls_x509_crt_set_expiration_time(chain[i], 2000000000);
		gnutls_x509_crt_set_dn_by_oid(chain[i],
		    GNUTLS_OID_X520_COMMON_NAME, 0, "long.example", 12);
		if (bytes > 0)
			ck_assert_int_eq(gnutls_x509_crt_set_subject_alt_name(
			    chain[i], GNUTLS_SAN_URI, pad, bytes,
			    GNUTLS_FSAN_SET), 0);
		ck_assert_int_eq(gnutls_x509_crt_set_key(chain[i], ca), 0);
		ck_assert_int_eq(gnutls_x509_crt_sign2(chain[i], ca_crt, ca,
		    GNUTLS_DIG_SHA256, 0), 0);
	}
	ck_assert_int_eq(gnutls_certificate_set_x509_key(c, chain, (int)n, ca),
	    0);
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	free(pad);
}

static const char prime512[] =
    "cb09c667644f3209844c2b80de99b0b2052d2fc31b90011b06a440876a35ca8b"
    "b93e9e7f9856f15b0bdd7316db0dbf69f1b50d5e1fc7295a941b5823b97fb86f";
static const char prime768[] =
    "a8da64e13951ed5193868048547f8433da0b4719c47c05c8cff67c1ca4ba9267"
    "518b80dd803e8afa63f65f642721f7dc2e6adc97c3d0967098df56b013896995"
    "24d069f493e0474bf101c72ee1a5003c9150cee44a3e180236ebefaee65f7d7f";
static const char prime1024[] =
    "f169851f154859839d11acc7941f6054f9fba5297b5e55f484655cc4cde6f955"
    "3252cfdf35cfb16af6ed580f4556631c834c58fafa43c34500784b1f0fd497c6"
    "975a3832c27d7686cd0709d07eef20b726a2e90a5196859da2827df0c799ebe0"
    "5f8f4fea2c6998bb162871fba7927efac944c2eb56bf8f268a3e86ded66fb38f";

static gnutls_dh_params_t weak_dh;

/* Real primes: among the powers of two modulo 2^n - 1 there is soon a one. */
static gnutls_datum_t
prime(size_t bits)
{
	const gnutls_datum_t *known = bits == 2048 ?
	    &gnutls_ffdhe_2048_group_prime : &gnutls_ffdhe_8192_group_prime;
	const char *text = bits == 512 ? prime512 : bits == 768 ? prime768 :
	    prime1024;
	gnutls_datum_t hex = { (unsigned char *)(uintptr_t)text,
	    (unsigned)(bits / 4) }, d;

	if (bits > 8192)
		return number(bits);
	if (bits > 1024) {
		d = number(bits);
		ck_assert_uint_eq(d.size, known->size);
		memcpy(d.data, known->data, d.size);
		return d;
	}
	ck_assert_int_eq(gnutls_hex_decode2(&hex, &d), 0);
	return d;
}

/* By a function: what is set directly is exchanged for a group that GnuTLS
 * thinks better of. */
static int
give_dh(gnutls_session_t g, gnutls_params_type_t type, gnutls_params_st *p)
{
	(void)g;
	p->type = type;
	p->params.dh = weak_dh;
	p->deinit = 0;
	return 0;
}

static void
serve_dh(size_t bits)
{
	static unsigned char two[] = { 2 };
	struct fault f;
	gnutls_certificate_credentials_t c = hostile_creds();
	gnutls_x509_privkey_t key = tls_key_generate(TLS_KEY_RSA, &f);
	gnutls_x509_crt_t crt = tls_cert_selfsign(key, TLS_KEY_RSA,
	    "dh.example", time(NULL), &f);
	gnutls_datum_t p = prime(bits), g = { two, 1 };

	ck_assert_int_eq(gnutls_dh_params_init(&weak_dh), 0);
	ck_assert_int_eq(gnutls_dh_params_import_raw(weak_dh, &p, &g), 0);
	ck_assert_int_eq(gnutls_certificate_set_x509_key(c, &crt, 1, key), 0);
	gnutls_certificate_set_params_function(c, give_dh);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	free(p.data);
}

/* ---- whole handshakes ---- */

enum kind { FORGED, CHAIN, DH };

static const struct row {
	const char	*name;
	enum kind	 kind;
	size_t		 a, b;		/* see serve_*() */
	const char	*priority;	/* of the client */
	const char	*objection;	/* NULL: it works */
	const char	*weak;
} rows[] = {
#define TLS12	"NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define DHE12	TLS12 ":-KX-ALL:+DHE-RSA:-GROUP-FFDHE2048:-GROUP-FFDHE3072" \
		":-GROUP-FFDHE4096:-GROUP-FFDHE6144:-GROUP-FFDHE8192"
	{ "exponent of 16384 bits", FORGED, 16384, 16384, "NORMAL",
	    "an exponent of more than 64 bits", NULL },
	{ "the same in 1.2", FORGED, 16384, 16384, TLS12,
	    "an exponent of more than 64 bits", NULL },
	{ "exponent of 72 bits", FORGED, 2048, 72, "NORMAL",
	    "an exponent of more than 64 bits", NULL },
	{ "key of 16392 bits", FORGED, 16392, 17, "NORMAL",
	    "an RSA key of more than 16384 bits", NULL },
	/* Not refused for its size, but for what it signs. */
	{ "key of 16384 bits", FORGED, 16384, 17, "NORMAL",
	    "verification has failed", NULL },
	{ "20 certificates", CHAIN, 20, 0, "NORMAL", NULL, "none" },
	{ "32 certificates in 1.2", CHAIN, 32, 0, TLS12, NULL, "none" },
	{ "33 certificates", CHAIN, 33, 0, "NORMAL",
	    "a chain of more than 32 certificates", NULL },
	{ "100 certificates in 1.2", CHAIN, 100, 0, TLS12,
	    "a chain of more than 32 certificates", NULL },
	{ "a chain of 60 KiB in 1.3", CHAIN, 20, 2700, "NORMAL", NULL,
	    "none" },
	{ "a chain of 128 KiB in 1.3", CHAIN, 20, 6500, "NORMAL",
	    "64 KiB", NULL },
	{ "a chain of 128 KiB in 1.2", CHAIN, 20, 6500, TLS12,
	    "64 KiB", NULL },
	{ "DH 512", DH, 512, 0, DHE12, NULL, "dh" },
	{ "DH 768", DH, 768, 0, DHE12, NULL, "dh" },
	{ "DH 1024", DH, 1024, 0, DHE12, NULL, "dh" },
	{ "DH 2048", DH, 2048, 0, DHE12, NULL, "none" },
	{ "DH 8192", DH, 8192, 0, DHE12, NULL, "none" },
	{ "DH 8200", DH, 8200, 0, DHE12,
	    "a DH group of more than 8192 bits", NULL },
};

static void
serve(const struct row *r)
{
	switch (r->kind) {
	case FORGED:
		serve_forged(r->a, r->b);
		break;
	case CHAIN:
		serve_chain((unsigned)r->a, (unsigned)r->b);
		break;
	case DH:
		serve_dh(r->a);
		break;
	}
}

static bool
client_knows(struct fix *f)
{
	return f->client.secures > 0 || f->client.ends > 0;
}

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(hostile_servers)
{
	const struct row *r = &rows[_i];
	double before;

	fix_open(&x, true, false);
	ca_make();
	serve(r);
	fix_client_priority(&x, r->priority);
	fix_start_server(&x);
	gnutls_handshake_set_max_packet_length(x.server.chan->tls->g, 1 << 20);
	fix_start_client(&x, "mx.example.org", false);
	before = cpu();
	fix_run(&x, client_knows);
	/* No timer can end a computation of ours. */
	ck_assert_msg(cpu() - before < 0.5, "%s: %.3f s", r->name,
	    cpu() - before);
	if (r->objection == NULL) {
		ck_assert_msg(x.client.secures == 1, "%s: %s", r->name,
		    x.client.fault.text);
		ck_assert_str_eq(channel_facts(x.client.chan)->weak, r->weak);
	} else {
		ck_assert_msg(x.client.in_handshake &&
		    strstr(x.client.fault.text, r->objection) != NULL,
		    "%s: %s", r->name, x.client.fault.text);
	}
	fix_close(&x);
	if (r->kind == DH)
		gnutls_dh_params_deinit(weak_dh);
	ca_free();
}
END_TEST

/* Where the peer must be authenticated, a listener who can break the group is
 * one too many. */
START_TEST(small_groups_at_a_strict_level)
{
	fix_open(&x, true, false);
	ca_make();
	serve_dh(_i == 0 ? 768 : 2048);
	gnutls_priority_deinit(x.client_creds->priority[1][0]);
	ck_assert_int_eq(gnutls_priority_init(&x.client_creds->priority[1][0],
	    DHE12, NULL), 0);
	x.strict = true;
	fix_start_server(&x);
	fix_start_client(&x, "mx.example.org", false);
	fix_run(&x, client_knows);
	ck_assert_int_eq(x.client.in_handshake, _i == 0);
	ck_assert_int_eq((int)x.client.secures, _i);
	fix_close(&x);
	gnutls_dh_params_deinit(weak_dh);
	ca_free();
}
END_TEST

/* ---- records without end ---- */

static const struct flood {
	const char	*name;
	struct span	 record;
} floods[] = {
#define RECORD(s)	{ s, sizeof(s) - 1 }
	{ "HelloRequest", RECORD("\x16\x03\x03\x00\x04\x00\x00\x00\x00") },
	{ "ChangeCipherSpec", RECORD("\x14\x03\x03\x00\x01\x01") },
	{ "warning alert", RECORD("\x15\x03\x03\x00\x02\x01\x5a") },
	{ "empty handshake record", RECORD("\x16\x03\x03\x00\x00") },
	{ "pieces of a message", RECORD("\x16\x03\x03\x00\x01\x02") },
	{ "application data", RECORD("\x17\x03\x03\x00\x01x") },
};

static struct span flood;
static size_t flooded;

static void
flood_on(void *arg)
{
	struct loop_timer **t = arg;

	for (int i = 0; i < 200; i++) {
		wire_inject(&x.down, flood);
		flooded += flood.n;
	}
	loop_timer_set(*t, 1);
}

START_TEST(endless_records)
{
	struct loop_timer *t;
	double before;

	flood = floods[_i].record;
	flooded = 0;
	fix_open(&x, true, false);
	fix_start_client(&x, "mx.example.org", false);
	t = loop_timer_new(x.loop, flood_on, &t);
	loop_timer_set(t, 1);
	before = cpu();
	fix_run(&x, client_knows);
	ck_assert_msg(x.client.ends == 1 && x.client.in_handshake, "%s",
	    floods[_i].name);
	ck_assert_msg(flooded < 256 * 1024 && cpu() - before < 0.5,
	    "%s: %zu bytes, %.3f s", floods[_i].name, flooded,
	    cpu() - before);
	loop_timer_close(&t);
	fix_close(&x);
}
END_TEST

/* ---- the guard alone: whatever the bytes are ---- */

static const struct msg {
	const char	*name;
	struct span	 body;
	bool		 tls13;
	const char	*objection;
} msgs[] = {
	{ "empty", { "", 0 }, false, NULL },
	{ "length cut", { "\0\0", 2 }, false, NULL },
	{ "no certificate", { "\0\0\0", 3 }, false, NULL },
	{ "no certificate in 1.3", { "\0\0\0\0", 4 }, true, NULL },
	{ "list longer than the body", { "\0\0\x09\0\0\1x", 7 }, false, NULL },
	{ "certificate longer than the list", { "\0\0\4\0\0\2x", 7 }, false,
	    NULL },
	{ "no extensions in 1.3", { "\0\0\0\4\0\0\1x", 8 }, true, NULL },
	{ "context longer than the body", { "\xff\0\0\4", 4 }, true, NULL },
};

START_TEST(certificate_messages)
{
	static char many[33 * 6 + 4];
	const char *got;

	for (size_t i = 0; i < NELEM(msgs); i++) {
		got = tls_guard_certificate(msgs[i].body, msgs[i].tls13);
		ck_assert_msg(got == NULL, "%s: %s", msgs[i].name, got);
	}
	/* 32 and 33 empty certificates, RFC 5246 sec 7.4.2 */
	for (size_t n = 32; n <= 33; n++) {
		many[2] = (char)(n * 3);
		got = tls_guard_certificate(span_of(many, 3 + n * 3), false);
		ck_assert_int_eq(got != NULL, n == 33);
	}
	/* and with their extensions, RFC 8446 sec 4.4.2 */
	for (size_t n = 32; n <= 33; n++) {
		many[2] = 0;
		many[3] = (char)(n * 5);
		got = tls_guard_certificate(span_of(many, 4 + n * 5), true);
		ck_assert_int_eq(got != NULL, n == 33);
	}
}
END_TEST

static const struct dh {
	char		 bytes[4];	/* the first of the prime */
	size_t		 n;		/* of the prime */
	bool		 ok;
} dhs[] = {
	{ "\xff", 64, true }, { "\xff", 1024, true }, { "\x01", 1025, false },
	{ { 0, '\xff' }, 1025, true }, { { 0, 0, 1 }, 1027, false },
	{ "", 0xffff, true }, { "\xff", 0xffff, false }, { "", 0, true },
};

START_TEST(dh_messages)
{
	static char body[2 + 0xffff];

	for (size_t i = 0; i < NELEM(dhs); i++) {
		const struct dh *d = &dhs[i];

		memset(body, 0, sizeof body);
		body[0] = (char)(d->n >> 8);
		body[1] = (char)d->n;
		memcpy(body + 2, d->bytes, d->n < 4 ? d->n : 4);
		ck_assert_msg((tls_guard_dh(span_of(body, 2 + d->n)) == NULL) ==
		    d->ok, "row %zu", i);
		/* cut: GnuTLS's to refuse */
		if (d->n > 0)
			ck_assert_ptr_null(tls_guard_dh(span_of(body,
			    1 + d->n)));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/guard");
	TCase *tc = tcase_create("guard");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, hostile_servers, 0, NELEM(rows));
	tcase_add_loop_test(tc, small_groups_at_a_strict_level, 0, 2);
	tcase_add_loop_test(tc, endless_records, 0, NELEM(floods));
	tcase_add_test(tc, certificate_messages);
	tcase_add_test(tc, dh_messages);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
