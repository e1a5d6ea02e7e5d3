/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/oracle/chains.c - a small world of authorities, some of them unfit, and
 * of leaves, with whatever can be wrong with one; and questions about them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "base/chance.h"
#include "tests/oracle/oracle.h"
#include "tls/spki.h"

#define DAY	86400
#define CERTS	400
#define KEYS	16

/* One of each of these for every authority. */
enum flaw {
	SOUND, EXPIRED, EARLY, NAMELESS, ELSEWHERE, STAR, COMMON_NAME,
	COMMON_NAME_BESIDE, FOR_CLIENTS, FOR_SERVERS, FORGED, LEAF_FLAWS,
	/* of authorities */
	NO_AUTHORITY = LEAF_FLAWS, NO_DEPTH, NAMES_PERMITTED, NAMES_EXCLUDED,
	NO_SIGNING, AUTHORITY_FLAWS
};
static const char *const flaw_names[AUTHORITY_FLAWS] = {
	"sound", "expired", "early", "nameless", "elsewhere", "star",
	"common-name", "common-name-beside", "for-clients", "for-servers",
	"forged", "no-authority", "no-depth", "permitted", "excluded",
	"no-signing",
};

struct cert {
	char		 name[48];
	gnutls_x509_crt_t crt;
	gnutls_datum_t	 der;
	int		 issuer;	/* index; -1: itself */
	int		 key;
	bool		 authority, stale;
};

static struct {
	gnutls_x509_privkey_t	key[KEYS];
	struct cert		cert[CERTS];
	size_t			n, nkeys;
	unsigned		serial;
} world;

static void
must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "oracle: %s: %s\n", what, gnutls_strerror(rc));
	exit(2);
}

static int
new_key(void)
{
	assert(world.nkeys < KEYS);
	must(gnutls_x509_privkey_init(&world.key[world.nkeys]), "key");
	must(gnutls_x509_privkey_generate(world.key[world.nkeys],
	    GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), "key");
	return (int)world.nkeys++;
}

/* ---- making a certificate ---- */

static void
set_basics(gnutls_x509_crt_t c, const char *cn, int key, enum flaw flaw)
{
	const uint8_t serial[4] = { 1, (uint8_t)(world.serial >> 16),
	    (uint8_t)(world.serial >> 8), (uint8_t)world.serial };
	time_t now = time(NULL);

	world.serial++;
	must(gnutls_x509_crt_set_version(c, 3), "version");
	must(gnutls_x509_crt_set_serial(c, serial, sizeof serial), "serial");
	gnutls_x509_crt_set_activation_time(c, now +
	    (flaw == EARLY ? 5 : -50) * DAY);
	gnutls_x509_crt_set_expiration_time(c, now +
	    (flaw == EXPIRED ? -5 : 50) * DAY);
	must(gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0,
	    cn, (unsigned)strlen(cn)), "name");
	must(gnutls_x509_crt_set_key(c, world.key[key]), "key");
}

static void
set_host(gnutls_x509_crt_t c, const char *host)
{
	must(gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, host,
	    (unsigned)strlen(host), GNUTLS_FSAN_APPEND), "host name");
}

static void
set_leaf(gnutls_x509_crt_t c, enum flaw flaw)
{
	switch (flaw) {
	case NAMELESS:
	case COMMON_NAME:
		break;
	case ELSEWHERE:
	case COMMON_NAME_BESIDE:
		set_host(c, "mx.example.com");
		break;
	case STAR:
		set_host(c, "*.example.org");
		break;
	default:
		set_host(c, ORACLE_HOST);
	}
	if (flaw == FOR_CLIENTS || flaw == FOR_SERVERS)
		must(gnutls_x509_crt_set_key_purpose_oid(c,
		    flaw == FOR_CLIENTS ? GNUTLS_KP_TLS_WWW_CLIENT :
		    GNUTLS_KP_TLS_WWW_SERVER, 0), "purpose");
}

static void
set_names_allowed(gnutls_x509_crt_t c, enum flaw flaw)
{
	gnutls_x509_name_constraints_t nc;
	gnutls_datum_t domain = { (unsigned char *)(uintptr_t)"example.org", 11 };

	must(gnutls_x509_name_constraints_init(&nc), "constraints");
	must(flaw == NAMES_PERMITTED ?
	    gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_DNSNAME,
	    &domain) :
	    gnutls_x509_name_constraints_add_excluded(nc, GNUTLS_SAN_DNSNAME,
	    &domain), "constraints");
	must(gnutls_x509_crt_set_name_constraints(c, nc, 1), "constraints");
	gnutls_x509_name_constraints_deinit(nc);
}

static void
set_authority(gnutls_x509_crt_t c, enum flaw flaw)
{
	must(gnutls_x509_crt_set_basic_constraints(c, flaw != NO_AUTHORITY,
	    flaw == NO_DEPTH ? 0 : -1), "authority");
	must(gnutls_x509_crt_set_key_usage(c, flaw == NO_SIGNING ?
	    GNUTLS_KEY_DIGITAL_SIGNATURE : GNUTLS_KEY_KEY_CERT_SIGN), "usage");
	if (flaw == NAMES_PERMITTED || flaw == NAMES_EXCLUDED)
		set_names_allowed(c, flaw);
}

/* `issuer` -1: self-signed.  FORGED: the issuer's name, another's key. */
static int
add(const char *cn, int issuer, int key, bool authority, enum flaw flaw)
{
	struct cert *c = &world.cert[world.n];
	const struct cert *up = issuer == -1 ? c : &world.cert[issuer];

	assert(world.n < CERTS);
	c->issuer = issuer;
	c->key = key;
	c->authority = authority;
	c->stale = flaw == EXPIRED || flaw == EARLY;
	(void)snprintf(c->name, sizeof(c->name), "%s%s%s/%s", cn,
	    issuer == -1 ? "" : "<", issuer == -1 ? "" : up->name,
	    flaw_names[flaw]);
	must(gnutls_x509_crt_init(&c->crt), "certificate");
	set_basics(c->crt, flaw == COMMON_NAME || flaw == COMMON_NAME_BESIDE ?
	    ORACLE_HOST : cn, key, flaw);
	if (authority)
		set_authority(c->crt, flaw);
	else
		set_leaf(c->crt, flaw);
	must(gnutls_x509_crt_sign2(c->crt, up->crt,
	    world.key[flaw == FORGED ? 0 : up->key], GNUTLS_DIG_SHA256, 0),
	    "signature");
	must(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_DER, &c->der),
	    "export");
	return (int)world.n++;
}

static const enum flaw authority_flaws[] = {
	SOUND, EXPIRED, EARLY, FORGED, NO_AUTHORITY, NO_DEPTH, NAMES_PERMITTED,
	NAMES_EXCLUDED, NO_SIGNING,
};
#define NFLAWS	(sizeof(authority_flaws) / sizeof(authority_flaws[0]))

static void
add_leaves(int issuer, int key)
{
	for (enum flaw f = SOUND; f < LEAF_FLAWS; f++)
		(void)add("leaf", issuer, key, false, f);
}

void
chains_open(void)
{
	static const enum flaw roots[] = { SOUND, EXPIRED, NO_DEPTH,
	    NAMES_PERMITTED, NO_AUTHORITY };
	int leaf, middle, low, stranger = new_key(), self;

	(void)stranger;		/* key 0: signs what is forged */
	leaf = new_key();
	middle = new_key();
	low = new_key();
	self = add("self", -1, leaf, false, SOUND);
	(void)self;
	for (size_t r = 0; r < sizeof(roots) / sizeof(roots[0]); r++) {
		char cn[16];
		int root, top = new_key();

		(void)snprintf(cn, sizeof(cn), "root%zu", r);
		root = add(cn, -1, top, true, roots[r]);
		if (r < 3)
			add_leaves(root, leaf);
		/* The same name and key below each root: cross-signed. */
		for (size_t f = 0; f < (r == 0 ? NFLAWS : 1); f++) {
			int m = add("middle", root, middle, true,
			    authority_flaws[f]);

			if (f == 0 || r == 0)
				add_leaves(m, leaf);
			if (r == 0 && f < NFLAWS - 1) {
				int l = add("low", m, low, true, f % 2 == 0 ?
				    SOUND : authority_flaws[f]);

				if (f < 2 || f == 5)
					add_leaves(l, leaf);
			}
		}
	}
}

void
chains_close(void)
{
	while (world.n > 0) {
		gnutls_free(world.cert[--world.n].der.data);
		gnutls_x509_crt_deinit(world.cert[world.n].crt);
	}
	while (world.nkeys > 0)
		gnutls_x509_privkey_deinit(world.key[--world.nkeys]);
}

/* ---- questions ---- */

static unsigned
below(uint64_t *seed, size_t n)
{
	return (unsigned)(chance_next(seed) % n);
}

static bool
now_and_then(uint64_t *seed, unsigned percent)
{
	return below(seed, 100) < percent;
}

struct pick {
	int	at[TLS_CHAIN_MAX];
	size_t	n;
	int	true_path[8];		/* leaf to root, whatever was sent */
	size_t	ntrue;
};

static void
pick_chain(struct pick *p, uint64_t *seed)
{
	int at;

	do
		at = (int)below(seed, world.n);
	while (world.cert[at].authority && !now_and_then(seed, 5));
	*p = (struct pick){ .n = 0 };
	for (; at != -1; at = world.cert[at].issuer) {
		p->true_path[p->ntrue++] = at;
		if (p->ntrue == 1 || now_and_then(seed, 80))
			p->at[p->n++] = at;
	}
	while (p->n < 8 && now_and_then(seed, 20))
		p->at[p->n++] = (int)below(seed, world.n);
	if (now_and_then(seed, 20))
		chance_shuffle(&p->at[1], p->n - 1, sizeof(p->at[0]), seed);
}

static bool
are_twins(int a, int b)
{
	return a != b && world.cert[a].authority &&
	    world.cert[a].key == world.cert[b].key;
}

static bool
has_twin(const struct pick *p, int of)
{
	for (size_t i = 0; i < p->n; i++)
		if (are_twins(p->at[i], of))
			return true;
	return false;
}

static bool
has_twins(const struct pick *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (has_twin(p, p->at[i]))
			return true;
	return false;
}

/* A record of a key speaks of every certificate of it. */
static bool
was_sent_stale(const struct pick *p, int of)
{
	for (size_t i = 0; i < p->n; i++)
		if (world.cert[p->at[i]].stale && are_twins(p->at[i], of))
			return true;
	return false;
}

/* The data of a record that speaks of a certificate; its length. */
static size_t
put_data(uint8_t *out, struct span der, unsigned selector, unsigned matching)
{
	static const gnutls_digest_algorithm_t hash[] = {
		[TLSA_SHA256] = GNUTLS_DIG_SHA256,
		[TLSA_SHA512] = GNUTLS_DIG_SHA512,
	};
	struct span data = der;

	if (selector == TLSA_SPKI && !tls_spki(der, &data))
		must(GNUTLS_E_INTERNAL_ERROR, "public key");
	if (matching != TLSA_SHA256 && matching != TLSA_SHA512) {
		assert(data.n < ORACLE_DATA - 4);
		memcpy(out, data.p, data.n);
		return data.n;
	}
	must(gnutls_hash_fast(hash[matching], data.p, data.n, out), "hash");
	return matching == TLSA_SHA256 ? 32 : 64;
}

static void
ask_record(struct question *q, const struct pick *p, uint64_t *seed)
{
	static const uint8_t usages[] = { 2, 2, 2, 2, 2, 2, 3, 3, 3, 1 };
	size_t i = q->nrecords++;
	int of = now_and_then(seed, 60) ? p->true_path[below(seed, p->ntrue)] :
	    now_and_then(seed, 60) ? p->at[below(seed, p->n)] :
	    (int)below(seed, world.n);
	uint8_t *r = q->rdata[i];
	size_t used = strlen(q->text);
	bool changed;

	r[0] = usages[below(seed, sizeof(usages))];
	r[1] = (uint8_t)below(seed, 2);
	r[2] = (uint8_t)below(seed, 3);
	q->rdata_len[i] = 3 + put_data(r + 3, span_of(world.cert[of].der.data,
	    world.cert[of].der.size), r[1], r[2]);
	q->stale_anchor = q->stale_anchor || (r[0] == TLSA_DANE_TA &&
	    (world.cert[of].stale || (r[1] == TLSA_SPKI && was_sent_stale(p, of))));
	/* OpenSSL puts a certificate of the DNS beside those that were sent. */
	q->twins = q->twins || (r[0] == TLSA_DANE_TA && r[1] == TLSA_CERT &&
	    r[2] == TLSA_FULL && has_twin(p, of));
	/* Not inside what is parsed: how far a broken certificate can be read
	 * is no matter of DANE. */
	changed = r[2] != TLSA_FULL && now_and_then(seed, 10);
	if (changed)
		r[3 + below(seed, 32)] ^= 1;
	(void)snprintf(q->text + used, sizeof(q->text) - used,
	    "; %u %u %u %s%s", r[0], r[1], r[2], world.cert[of].name,
	    changed ? "!" : "");
}

void
chains_ask(struct question *q, uint64_t *seed)
{
	struct pick p;
	size_t n = 1 + below(seed, now_and_then(seed, 70) ? 1 : ORACLE_RECORDS);

	pick_chain(&p, seed);
	q->nrecords = 0;
	q->stale_anchor = false;
	q->text[0] = '\0';
	q->chain.n = p.n;
	q->twins = has_twins(&p);
	for (size_t i = 0; i < p.n; i++) {
		const struct cert *c = &world.cert[p.at[i]];
		size_t used = strlen(q->text);

		q->chain.cert[i] = span_of(c->der.data, c->der.size);
		(void)snprintf(q->text + used, sizeof(q->text) - used, "%s%s",
		    i == 0 ? "" : ", ", c->name);
	}
	while (q->nrecords < n)
		ask_record(q, &p, seed);
}
