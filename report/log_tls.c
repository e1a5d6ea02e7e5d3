/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_tls.c - see log_tls.h. */
#include "report/log_tls.h"

#include <string.h>

struct word {
	const char	*in, *out;
};

/* Found anywhere in the suite's name, the first one counts: "ECDHE-RSA-AES256-
 * GCM-SHA384", "TLS_AES_256_GCM_SHA384", "ECDHE_SECP256R1__...__AES_256_GCM". */
static const struct word ciphers[] = {
	{ "CHACHA20", "CHACHA20-POLY1305" },
	{ "AES256-GCM", "AES-256-GCM" }, { "AES_256_GCM", "AES-256-GCM" },
	{ "AES128-GCM", "AES-128-GCM" }, { "AES_128_GCM", "AES-128-GCM" },
	{ "AES256-CCM", "AES-256-CCM" }, { "AES_256_CCM", "AES-256-CCM" },
	{ "AES128-CCM", "AES-128-CCM" }, { "AES_128_CCM", "AES-128-CCM" },
	{ "AES256", "AES-256-CBC" }, { "AES_256", "AES-256-CBC" },
	{ "AES128", "AES-128-CBC" }, { "AES_128", "AES-128-CBC" },
	{ "CAMELLIA256", "CAMELLIA-256-CBC" },
	{ "CAMELLIA_256", "CAMELLIA-256-CBC" },
	{ "CAMELLIA128", "CAMELLIA-128-CBC" },
	{ "CAMELLIA_128", "CAMELLIA-128-CBC" },
	{ "3DES", "3DES-CBC" }, { "DES-CBC3", "3DES-CBC" },
	{ "RC4", "ARCFOUR-128" }, { "ARCFOUR", "ARCFOUR-128" },
};

static const struct word groups[] = {
	{ "MLKEM", "" },	/* hybrids keep their own names */
	{ "X25519", "X25519" }, { "X448", "X448" },
	{ "P-256", "SECP256R1" }, { "prime256v1", "SECP256R1" },
	{ "SECP256R1", "SECP256R1" },
	{ "P-384", "SECP384R1" }, { "secp384r1", "SECP384R1" },
	{ "SECP384R1", "SECP384R1" },
	{ "P-521", "SECP521R1" }, { "secp521r1", "SECP521R1" },
	{ "SECP521R1", "SECP521R1" },
	{ "ECDHE", "ECDHE" }, { "EECDH", "ECDHE" },
	{ "FFDHE2048", "FFDHE2048" }, { "FFDHE3072", "FFDHE3072" },
	{ "FFDHE4096", "FFDHE4096" },
	{ "DHE", "DHE" }, { "EDH", "DHE" },
};
#define NWORDS(t)	(sizeof(t) / sizeof((t)[0]))

static const struct word *
find(const struct word *words, size_t n, struct span text)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(text.p, text.n, words[i].in,
		    strlen(words[i].in)) != NULL)
			return &words[i];
	return NULL;
}

/* Names of outsiders end up in a terminal. */
static void
put(char *dst, size_t size, struct span text)
{
	size_t i;

	for (i = 0; i < text.n && i + 1 < size; i++)
		dst[i] = text.p[i] > ' ' && text.p[i] <= '~' ? text.p[i] : '-';
	dst[i] = '\0';
}

static void
put_word(char *dst, size_t size, const struct word *w, struct span text)
{
	put(dst, size, w != NULL && w->out[0] != '\0' ? span_str(w->out) :
	    text);
}

/* "TLSv1.3", "TLS1.3", "TLSv1" which is 1.0 */
static void
put_version(char *dst, size_t size, struct span v)
{
	char text[16];
	struct span number;

	if (!span_istarts(v, SPAN_LIT("TLS")) || v.n > 8) {
		put(dst, size, v);
		return;
	}
	number = span_skip(v, v.n > 3 && v.p[3] == 'v' ? 4 : 3);
	memcpy(text, "TLS", 3);
	if (span_eq(number, SPAN_LIT("1")))
		number = SPAN_LIT("1.0");
	put(text + 3, sizeof text - 3, number);
	put(dst, size, span_str(text));
}

/* TLS 1.3 has always a fresh secret; before, the suite says so. */
static bool
has_no_pfs(const struct tls_facts *t, struct span suite)
{
	static const struct word fresh[] = { { "DH", "" }, { "ADH", "" } };

	return strcmp(t->version, "TLS1.3") != 0 &&
	    find(fresh, NWORDS(fresh), suite) == NULL;
}

/* "DHE (1024 bits)" */
static bool
is_small_dh(struct span kx)
{
	unsigned long long bits;
	struct span rest = kx;

	(void)span_cut(&rest, '(');
	return span_istarts(kx, SPAN_LIT("DHE")) &&
	    span_u64(span_cut(&rest, ' '), 100000, &bits) && bits < 2048;
}

static void
put_weak(struct tls_facts *t, struct span suite, struct span kx)
{
	const bool old = strcmp(t->version, "TLS1.0") == 0 ||
	    strcmp(t->version, "TLS1.1") == 0 ||
	    strncmp(t->version, "SSL", 3) == 0;
	const struct { bool is; const char *word; } all[] = {
		{ old, "version" }, { is_small_dh(kx), "dh" },
		{ has_no_pfs(t, suite), "no-pfs" },
	};
	size_t n = 0;

	for (size_t i = 0; i < NWORDS(all); i++) {
		if (!all[i].is)
			continue;
		if (n > 0)
			t->weak[n++] = ',';
		put(t->weak + n, sizeof t->weak - n, span_str(all[i].word));
		n = strlen(t->weak);
	}
	if (n == 0)
		put(t->weak, sizeof t->weak, SPAN_LIT("none"));
}

/* GnuTLS: key exchange, two underscores, signature, two more, cipher. */
static struct span
exchange_of(struct span suite)
{
	const char *end = memmem(suite.p, suite.n, "__", 2);

	return end == NULL ? suite : span_head(suite, (size_t)(end - suite.p));
}

void
log_tls_fill(struct tls_facts *t, struct span version, struct span suite,
    struct span kx)
{
	const struct word *group = find(groups, NWORDS(groups),
	    kx.n > 0 ? kx : exchange_of(suite));

	tls_facts_clear(t);
	put_version(t->version, sizeof t->version, version);
	put_word(t->cipher, sizeof t->cipher, find(ciphers, NWORDS(ciphers),
	    suite), suite);
	if (kx.n > 0 || group != NULL)
		put_word(t->kx, sizeof t->kx, group, kx.n > 0 ? kx :
		    SPAN_LIT("none"));
	put_weak(t, suite, kx);
}
