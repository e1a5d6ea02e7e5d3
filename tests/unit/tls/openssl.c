/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* openssl.c - the other side is OpenSSL's: old versions and exchanges that two
 * ends of ours would never agree on. */
#include "fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPENSSL	"/usr/bin/openssl"
#define SKIPPED	77

static struct fix x;

struct peer {
	pid_t	pid;
	int	in, out;	/* its stdin and stdout */
};

static void
peer_start(struct peer *p, const char *const *args)
{
	const char *argv[40] = { OPENSSL };
	int in[2], out[2], n = 1;

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	while (*args != NULL && n < 39)
		argv[n++] = *args++;
	p->pid = fork();
	if (p->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(open("/dev/null", O_WRONLY), 2);
		execv(OPENSSL, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
}

static void
peer_stop(struct peer *p)
{
	close(p->in);
	close(p->out);
	kill(p->pid, SIGTERM);
	ck_assert_int_eq(waitpid(p->pid, NULL, 0), p->pid);
}

/* ---- s_client against our server ---- */

static const struct to_us {
	const char	*name;
	const char	*args[12];
	const char	*version, *cipher, *kx;	/* NULL version: must fail */
	const char	*weak;		/* NULL: nothing */
} to_us[] = {
	{ .name = "1.3", { "-tls1_3" }, "TLS1.3", "AES-256-GCM", "X25519" },
	{ .name = "1.3 P-256", { "-tls1_3", "-groups", "P-256" }, "TLS1.3", NULL,
	    "SECP256R1" },
	{ .name = "1.3 RSA-PSS", { "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256" },
	    "TLS1.3", NULL, NULL },
	{ .name = "1.2", { "-tls1_2" }, "TLS1.2", "AES-256-GCM", "X25519" },
	{ .name = "1.2 RSA", { "-tls1_2", "-sigalgs", "RSA+SHA256" }, "TLS1.2", NULL,
	    NULL },
	{ .name = "1.2 DHE", { "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256" },
	    "TLS1.2", "AES-128-GCM", "DHE-2048" },
	{ .name = "1.1", { "-tls1_1", "-cipher", "ALL:@SECLEVEL=0" }, "TLS1.1", NULL,
	    NULL, "version" },
	{ .name = "1.0", { "-tls1", "-cipher", "ALL:@SECLEVEL=0" }, "TLS1.0", NULL,
	    NULL, "version" },
	{ .name = "1.0 RSA certificate", { "-tls1", "-cipher",
	    "ECDHE-RSA-AES128-SHA:@SECLEVEL=0" }, "TLS1.0", "AES-128-CBC",
	    NULL, "version" },
	{ .name = "1.3 with an unknown name", { "-tls1_3", "-servername",
	    "other.example" }, "TLS1.3", NULL, NULL },
	/* keys never decrypts */
	{ .name = "static RSA", { "-tls1_2", "-cipher", "AES128-SHA" }, NULL, NULL,
	    NULL },
};

static bool
accepted(struct fix *f)
{
	return f->server.chan != NULL;
}

static bool
got_line(struct fix *f)
{
	return f->server.ends > 0 || f->server.got.len >= 5;
}

START_TEST(client_to_us)
{
	const struct to_us *r = &to_us[_i];
	const char *args[24] = { "s_client", "-quiet", "-connect" };
	char at_text[ADDR_TEXT_SIZE], reply[64];
	const struct tls_facts *f;
	struct addr at;
	struct peer p;
	ssize_t n;

	fix_open_listener(&x, &at);
	args[3] = addr_text(&at, at_text);
	for (int i = 0; r->args[i] != NULL; i++)
		args[4 + i] = r->args[i];
	peer_start(&p, args);
	fix_run(&x, accepted);
	fix_start_server(&x);
	ck_assert_int_eq(write(p.in, "PING\n", 5), 5);
	fix_run(&x, got_line);
	if (r->version == NULL) {
		ck_assert(x.server.ends == 1 && x.server.in_handshake);
		peer_stop(&p);
		fix_close(&x);
		return;
	}
	ck_assert_msg(x.server.secures == 1, "%s: %s", r->name,
	    x.server.fault.text);
	f = channel_facts(x.server.chan);
	ck_assert_str_eq(f->version, r->version);
	if (r->cipher != NULL)
		ck_assert_str_eq(f->cipher, r->cipher);
	if (r->kx != NULL)
		ck_assert_str_eq(f->kx, r->kx);
	ck_assert_str_eq(f->weak, r->weak == NULL ? "none" : r->weak);
	ck_assert(span_eq(buf_get(&x.server.got), SPAN_LIT("PING\n")));
	channel_send(x.server.chan, SPAN_LIT("PONG\n"));
	channel_close_after_flush(&x.server.chan, 5000);
	loop_timer_set(x.guard, 50);
	loop_run(x.loop);
	n = read(p.out, reply, sizeof reply);
	ck_assert_int_eq(n, 5);
	ck_assert_int_eq(memcmp(reply, "PONG\n", 5), 0);
	peer_stop(&p);
	fix_close(&x);
}
END_TEST

/* ---- s_server ---- */

#define DH1024	"-----BEGIN DH PARAMETERS-----\n" \
"MIGHAoGBAPFphR8VSFmDnRGsx5QfYFT5+6Upe15V9IRlXMTN5vlVMlLP3zXPsWr2\n" \
"7VgPRVZjHINMWPr6Q8NFAHhLHw/Ul8aXWjgywn12hs0HCdB+7yC3JqLpClGWhZ2i\n" \
"gn3wx5nr4F+PT+osaZi7Fihx+6eSfvrJRMLrVr+PJoo+ht7Wb7OPAgEC\n" \
"-----END DH PARAMETERS-----\n"

static const struct from_us {
	const char	*name;
	const char	*args[12];
	enum tls_key_kind key;
	bool		 reduced;
	const char	*version, *cipher, *kx;	/* NULL version: must fail */
	const char	*weak;		/* NULL: nothing */
	const char	*dh;		/* parameters of the peer */
	bool		 strict;
} from_us[] = {
	{ .name = "1.3", { "-tls1_3" }, TLS_KEY_RSA, false, "TLS1.3", "AES-256-GCM",
	    NULL },
	{ .name = "1.2", { "-tls1_2" }, TLS_KEY_ECDSA, false, "TLS1.2",
	    "AES-256-GCM", NULL },
	{ .name = "1.2 ChaCha", { "-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305" },
	    TLS_KEY_RSA, false, "TLS1.2", "CHACHA20-POLY1305", NULL },
	{ .name = "1.1", { "-tls1_1", "-cipher", "ALL:@SECLEVEL=0" }, TLS_KEY_RSA,
	    false, "TLS1.1", NULL, NULL, "version" },
	{ .name = "1.0", { "-tls1", "-cipher", "ALL:@SECLEVEL=0" }, TLS_KEY_RSA, false,
	    "TLS1.0", NULL, NULL, "version" },
	{ .name = "1.0 ECDSA", { "-tls1", "-cipher", "ALL:@SECLEVEL=0" },
	    TLS_KEY_ECDSA, false, "TLS1.0", NULL, NULL, "version" },
	/* What only a very old server still does beats clear text. */
	{ .name = "static RSA", { "-tls1_2", "-cipher", "AES128-SHA" }, TLS_KEY_RSA,
	    false, "TLS1.2", "AES-128-CBC", "RSA", "no-pfs" },
	{ .name = "DHE 1024", { "-tls1_2", "-cipher", "DHE-RSA-AES128-SHA" },
	    TLS_KEY_RSA, false, "TLS1.2", NULL, "DHE-1024", "dh", DH1024 },
	{ .name = "DHE 1024 and 1.0", { "-tls1", "-cipher",
	    "DHE-RSA-AES128-SHA:@SECLEVEL=0" }, TLS_KEY_RSA, true, "TLS1.0",
	    NULL, "DHE-1024", "version,dh", DH1024 },
	/* Where the peer must be authenticated, nothing of it is taken. */
	{ .name = "1.1, strict", { "-tls1_1", "-cipher", "ALL:@SECLEVEL=0" },
	    TLS_KEY_RSA, false, NULL, NULL, NULL, NULL, NULL, true },
	{ .name = "1.0, strict and reduced", { "-tls1", "-cipher", "ALL:@SECLEVEL=0" },
	    TLS_KEY_RSA, true, NULL, NULL, NULL, NULL, NULL, true },
	{ .name = "1.2, strict", { "-tls1_2" }, TLS_KEY_ECDSA, false, "TLS1.2", NULL,
	    NULL, NULL, NULL, true },
	{ .name = "1.3, strict", { "-tls1_3" }, TLS_KEY_ECDSA, false, "TLS1.3", NULL,
	    NULL, NULL, NULL, true },
	{ .name = "1.2, strict and reduced", { "-tls1_2" }, TLS_KEY_ECDSA, true,
	    "TLS1.2", NULL, NULL, NULL, NULL, true },
	{ .name = "DHE", { "-tls1_2", "-cipher", "DHE-RSA-AES128-SHA" }, TLS_KEY_RSA,
	    false, "TLS1.2", "AES-128-CBC", NULL },
	{ .name = "reduced, 1.3 server", { "-no_ticket" }, TLS_KEY_RSA, true, "TLS1.2",
	    NULL, "SECP256R1" },
	{ .name = "reduced, 1.0", { "-tls1", "-cipher", "ALL:@SECLEVEL=0" },
	    TLS_KEY_RSA, true, "TLS1.0", NULL, NULL, "version" },
	{ .name = "reduced, static RSA", { "-tls1_2", "-cipher", "AES128-SHA" },
	    TLS_KEY_RSA, true, "TLS1.2", "AES-128-CBC", "RSA", "no-pfs" },
	{ .name = "reduced, DHE", { "-tls1_2", "-cipher", "DHE-RSA-AES128-SHA" },
	    TLS_KEY_RSA, true, "TLS1.2", "AES-128-CBC", NULL },
};

static char dir[64];

static void
write_pem(const char *name, const gnutls_datum_t *d, char *path, size_t size)
{
	FILE *out;

	snprintf(path, size, "%s/%s", dir, name);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(d->data, 1, d->size, out), d->size);
	ck_assert_int_eq(fclose(out), 0);
}

static void
write_text(const char *name, const char *text, char *path, size_t size)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)text,
	    (unsigned)strlen(text) };

	write_pem(name, &d, path, size);
}

static const char anything_goes[] = "openssl_conf = a\n[a]\nssl_conf = b\n"
    "[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT:@SECLEVEL=0\n";

/* SPKI digest by GnuTLS's own way, not by ours. */
static void
make_pair(enum tls_key_kind kind, char *key_path, char *crt_path, size_t size,
    char spki[65])
{
	struct fault f;
	gnutls_x509_privkey_t key = tls_key_generate(kind, &f);
	gnutls_x509_crt_t crt = tls_cert_selfsign(key, kind, "mx.example.org",
	    1750000000, &f);
	unsigned char id[32];
	gnutls_datum_t d;
	size_t n = sizeof id;

	ck_assert_int_eq(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM,
	    &d), 0);
	write_pem("key", &d, key_path, size);
	gnutls_free(d.data);
	ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &d),
	    0);
	write_pem("crt", &d, crt_path, size);
	gnutls_free(d.data);
	ck_assert_int_eq(gnutls_x509_crt_get_key_id(crt,
	    GNUTLS_KEYID_USE_SHA256, id, &n), 0);
	for (size_t i = 0; i < sizeof id; i++)
		snprintf(spki + 2 * i, 3, "%02x", id[i]);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

/* "ACCEPT 127.0.0.1:40123" */
static void
read_port(struct peer *p, struct addr *at)
{
	char text[4096] = "", *colon;
	size_t n = 0;
	ssize_t got;

	while (strchr(text, '\n') == NULL || strstr(text, "ACCEPT") == NULL ||
	    strchr(strstr(text, "ACCEPT"), '\n') == NULL) {
		ck_assert_uint_lt(n, sizeof text - 1);
		got = read(p->out, text + n, sizeof text - 1 - n);
		ck_assert_msg(got > 0, "s_server did not start: %s", text);
		n += (size_t)got;
		text[n] = '\0';
	}
	colon = strchr(strstr(text, "ACCEPT"), ':');
	ck_assert_ptr_nonnull(colon);
	ck_assert(addr_parse(SPAN_LIT("127.0.0.1:1"), 0, at));
	at->port = (uint16_t)atoi(colon + 1);
	ck_assert_uint_ne(at->port, 0);
}

static bool
client_connected(struct fix *f)
{
	return f->client.connects > 0 || f->client.ends > 0;
}

static bool
client_secured(struct fix *f)
{
	return f->client.secures > 0 || f->client.ends > 0;
}

static bool
client_got_line(struct fix *f)
{
	return f->client.got.len >= 5 || f->client.ends > 0;
}

START_TEST(us_to_server)
{
	const struct from_us *r = &from_us[_i];
	char key[128], crt[128], dh[128], cnf[128], spki[65];
	const char *args[26] = { "s_server", "-accept", "127.0.0.1:0", "-rev",
	    "-key", key, "-cert", crt };
	const struct tls_facts *f;
	struct addr ours, at;
	struct fault why;
	struct peer p;
	int n;

	snprintf(dir, sizeof dir, "/tmp/sealane-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	make_pair(r->key, key, crt, sizeof key, spki);
	for (n = 8; r->args[n - 8] != NULL; n++)
		args[n] = r->args[n - 8];
	if (r->dh != NULL) {
		write_text("dh", r->dh, dh, sizeof dh);
		args[n++] = "-dhparam";
		args[n++] = dh;
	}
	/* It looks at the group before it reads its list of ciphers. */
	write_text("cnf", anything_goes, cnf, sizeof cnf);
	ck_assert_int_eq(setenv("OPENSSL_CONF", cnf, 1), 0);
	peer_start(&p, args);
	read_port(&p, &at);
	fix_open_listener(&x, &ours);
	x.client.chan = channel_connect(x.loop, &at, NULL, &side_ops, &x.client,
	    &why);
	ck_assert_ptr_nonnull(x.client.chan);
	fix_run(&x, client_connected);
	x.strict = r->strict;
	fix_start_client(&x, "mx.example.org", r->reduced);
	fix_run(&x, client_secured);
	if (r->version == NULL) {
		ck_assert_msg(x.client.ends == 1 && x.client.in_handshake,
		    "%s", r->name);
		goto stop;
	}
	ck_assert_msg(x.client.ends == 0, "%s: %s", r->name,
	    x.client.fault.text);
	f = channel_facts(x.client.chan);
	ck_assert_str_eq(f->version, r->version);
	ck_assert_str_eq(f->spki, spki);
	ck_assert_str_eq(f->weak, r->weak == NULL ? "none" : r->weak);
	if (r->cipher != NULL)
		ck_assert_str_eq(f->cipher, r->cipher);
	if (r->kx != NULL)
		ck_assert_str_eq(f->kx, r->kx);
	channel_send(x.client.chan, SPAN_LIT("GNIP\n"));
	fix_run(&x, client_got_line);
	ck_assert(span_eq(buf_get(&x.client.got), SPAN_LIT("PING\n")));
stop:
	fix_close(&x);
	peer_stop(&p);
	if (r->dh != NULL)
		ck_assert_int_eq(unlink(dh), 0);
	ck_assert_int_eq(unlink(cnf), 0);
	ck_assert(unlink(key) == 0 && unlink(crt) == 0 && rmdir(dir) == 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/openssl");
	TCase *tc = tcase_create("openssl");

	if (access(OPENSSL, X_OK) == -1) {
		puts("skipped: " OPENSSL " is not there");
		return SKIPPED;
	}
	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, client_to_us, 0, NELEM(to_us));
	tcase_add_loop_test(tc, us_to_server, 0, NELEM(from_us));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
