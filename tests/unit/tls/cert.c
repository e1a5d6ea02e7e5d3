/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cert.c - certificates: what is read off them, and the self-signed ones.
 * The expected digests are OpenSSL's. */
#include "fixture.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "tls/fingerprint.h"
#include "tls/spki.h"

static const char rsa_pem[] =
"-----BEGIN CERTIFICATE-----\n"
"MIICJjCCAY+gAwIBAgICEjQwDQYJKoZIhvcNAQELBQAwLTEQMA4GA1UECgwHRXgs\n"
"IEx0ZDEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzAgFw0yNjExMjMyMDIxMjla\n"
"GA8yMTI2MTAzMDIwMjEyOVowLTEQMA4GA1UECgwHRXgsIEx0ZDEZMBcGA1UEAwwQ\n"
"bWFpbC5leGFtcGxlLm9yZzCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAyAlS\n"
"yGAP/W5sbZl/WUwH7riHBvU5ybWQMu22mQyrDcFEVF5GutaEyyOrkftE8l0IFZmd\n"
"MrvIoQGx8HdUkCggdxm/4fGqjPVN+G/Gwfj4o7yl3rkcWAuJGI1C8In+4gc0By47\n"
"zhlwdsVBKRdZybKPGeo7m7dgdiTwq1i3IBhDxTcCAwEAAaNTMFEwHQYDVR0OBBYE\n"
"FDxW6sJvev4hRllhMYNz1ZekddhWMB8GA1UdIwQYMBaAFDxW6sJvev4hRllhMYNz\n"
"1ZekddhWMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEAw1s4zxhW\n"
"9UyeqLh/Xe37sW2qsZS6Xx/cahSIGgeOI7XK43cOWYMhf6p7R9I/7GLJ8xafU+++\n"
"DSRSRmEGQt5mpfGYwSkMivnIZbu36frbayVGglL460OZQDhom9tHKh13s67AP9uE\n"
"R3jtAqfvxxw5MOhRuiADAzXhLRmt8EhPkAc=\n"
"-----END CERTIFICATE-----\n";

static const char ed_pem[] =
"-----BEGIN CERTIFICATE-----\n"
"MIIBNTCB6KADAgECAgEBMAUGAytlcDAZMRcwFQYDVQQDDA5lZC5leGFtcGxlLm9y\n"
"ZzAgFw0yNjExMjMyMDIxMzBaGA8yMTI2MTAzMDIwMjEzMFowGTEXMBUGA1UEAwwO\n"
"ZWQuZXhhbXBsZS5vcmcwKjAFBgMrZXADIQD+H4M+XCt0aKkWvUnAWgzQP7VJWN6K\n"
"TuP37CLoT1we1aNTMFEwHQYDVR0OBBYEFMIWw2Ht93j71Lou/fc4New2+rmOMB8G\n"
"A1UdIwQYMBaAFMIWw2Ht93j71Lou/fc4New2+rmOMA8GA1UdEwEB/wQFMAMBAf8w\n"
"BQYDK2VwA0EAB2x3WKZ4IVFM/jih21WSFOKzFKcjSjAIAlRm63thrhk7BBYQ3Cup\n"
"VxUftHwraiyOfr0CFrcyaYSvCNjG83nTAg==\n"
"-----END CERTIFICATE-----\n";

static const struct known {
	const char	*pem, *subject, *type, *fingerprint, *spki;
	uint64_t	 from, to;
} knowns[] = {
	{ rsa_pem, "CN=mail.example.org,O=Ex\\, Ltd", "RSA 1024",
	    "BE:FE:D5:89:4B:FB:A4:FC:FE:38:B3:DE:89:1B:40:48:"
	    "B5:BE:77:91:E0:CF:10:76:C0:7E:17:89:C1:E7:F5:A9",
	    "b12d85371030cc0626d58a822bea4c286aeeef9cffa3703e719bbd08a280edbe",
	    1795465289, 4949065289 },
	{ ed_pem, "CN=ed.example.org", "EdDSA (Ed25519) 256",
	    "94:39:37:EF:11:F6:F0:07:35:98:45:3A:4B:6D:0C:75:"
	    "48:E3:B2:29:C2:4B:98:AB:1F:E5:10:0B:E7:2C:F5:53",
	    "02f2a53b5b85f150737198cef91a706e1155cafa87044860e9c32b2cdc411953",
	    1795465290, 4949065290 },
};

START_TEST(known_certificates)
{
	const struct known *k = &knowns[_i];
	struct tls_cert_info info;
	struct fault f = { 0 };

	ck_assert_msg(tls_cert_read(span_str(k->pem), &info, &f) == 0, "%s",
	    f.text);
	ck_assert_str_eq(info.subject, k->subject);
	ck_assert_str_eq(info.type, k->type);
	ck_assert_str_eq(info.fingerprint, k->fingerprint);
	ck_assert_str_eq(info.spki, k->spki);
	ck_assert_uint_eq(info.not_before, k->from * 1000);
	ck_assert_uint_eq(info.not_after, k->to * 1000);
}
END_TEST

START_TEST(not_certificates)
{
	static const char *const bad[] = { "", "hello",
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\n", "\x30\x03\x02\x01\x01" };
	struct tls_cert_info info;
	struct fault f;

	for (size_t i = 0; i < NELEM(bad); i++) {
		f = (struct fault){ 0 };
		ck_assert_int_eq(tls_cert_read(span_str(bad[i]), &info, &f),
		    -1);
		ck_assert_str_ne(f.text, "");
	}
}
END_TEST

/* ---- SubjectPublicKeyInfo ---- */

static gnutls_datum_t
self_signed(enum tls_key_kind kind, const char *host, time_t now)
{
	struct fault f;
	gnutls_x509_privkey_t key = tls_key_generate(kind, &f);
	gnutls_x509_crt_t crt;
	gnutls_datum_t der;

	ck_assert_ptr_nonnull(key);
	crt = tls_cert_selfsign(key, kind, host, now, &f);
	ck_assert_msg(crt != NULL, "%s", f.text);
	ck_assert(tls_cert_fits(crt, key));
	ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER,
	    &der), 0);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return der;
}

static gnutls_x509_crt_t
import(gnutls_datum_t der)
{
	gnutls_x509_crt_t crt;

	ck_assert_int_eq(gnutls_x509_crt_init(&crt), 0);
	ck_assert_int_eq(gnutls_x509_crt_import(crt, &der,
	    GNUTLS_X509_FMT_DER), 0);
	return crt;
}

/* Every prefix and every wrong byte: never a read past the end (ASan), never a
 * span outside the certificate. */
START_TEST(spki_of_damaged)
{
	gnutls_datum_t der = self_signed(TLS_KEY_ECDSA, "a.example", 1750000000);
	struct span whole = span_of(der.data, der.size), spki;
	char *copy;

	ck_assert(tls_spki(whole, &spki));
	ck_assert_uint_eq(spki.n, 91);		/* P-256 */
	for (size_t n = 0; n < der.size; n++) {
		copy = malloc(n + 1);
		memcpy(copy, der.data, n);
		/* The outer length no longer fits. */
		ck_assert(!tls_spki(span_of(copy, n), &spki));
		free(copy);
	}
	copy = malloc(der.size);
	for (size_t i = 0; i < der.size; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(copy, der.data, der.size);
			copy[i] = (char)(copy[i] ^ (1 << bit));
			if (!tls_spki(span_of(copy, der.size), &spki))
				continue;
			ck_assert(spki.p >= copy &&
			    spki.p + spki.n <= copy + der.size);
		}
	free(copy);
	gnutls_free(der.data);
}
END_TEST

static const struct {
	const char	*name;
	struct span	 der;
} spki_bad[] = {
	{ "nothing", { "", 0 } },
	{ "a tag", { "\x30", 1 } },
	{ "indefinite length", { "\x30\x80\x30\x80", 4 } },
	{ "length of four bytes", { "\x30\x84\xff\xff\xff\xff", 6 } },
	{ "length past the end", { "\x30\x83\xff\xff\xff", 5 } },
	{ "length cut", { "\x30\x82\x01", 3 } },
	{ "empty", { "\x30\x00", 2 } },
	{ "empty tbs", { "\x30\x02\x30\x00", 4 } },
	{ "set instead of sequence", { "\x31\x02\x30\x00", 4 } },
};

START_TEST(spki_of_rubbish)
{
	struct span spki;

	ck_assert_msg(!tls_spki(spki_bad[_i].der, &spki), "%s",
	    spki_bad[_i].name);
}
END_TEST

/* ---- self-signed ---- */

static const struct own {
	enum tls_key_kind kind;
	int		 pk;
	unsigned	 usage;
} owns[] = {
	{ TLS_KEY_ECDSA, GNUTLS_PK_ECDSA, GNUTLS_KEY_DIGITAL_SIGNATURE },
	{ TLS_KEY_RSA, GNUTLS_PK_RSA, GNUTLS_KEY_DIGITAL_SIGNATURE |
	    GNUTLS_KEY_KEY_ENCIPHERMENT },
};

START_TEST(self_signed_fields)
{
	const struct own *o = &owns[_i];
	const time_t now = 1750000000;
	gnutls_datum_t der = self_signed(o->kind, "mx1.example.org", now);
	gnutls_datum_t der2 = self_signed(o->kind, "mx1.example.org", now);
	gnutls_x509_crt_t crt = import(der), crt2 = import(der2);
	unsigned char serial[32], serial2[32];
	size_t n = sizeof serial, n2 = sizeof serial2;
	unsigned usage = 0, critical = 0, status = 0;

	ck_assert_int_eq(gnutls_x509_crt_get_version(crt), 3);
	ck_assert_int_eq(gnutls_x509_crt_get_pk_algorithm(crt, NULL), o->pk);
	ck_assert_int_eq(gnutls_x509_crt_get_key_usage(crt, &usage, &critical),
	    0);
	ck_assert_uint_eq(usage, o->usage);
	ck_assert_int_eq(gnutls_x509_crt_get_ca_status(crt, &critical), 0);
	ck_assert_int_eq(gnutls_x509_crt_get_activation_time(crt), now - 3600);
	ck_assert_int_eq(gnutls_x509_crt_get_expiration_time(crt),
	    now + 3650LL * 86400);
	ck_assert(gnutls_x509_crt_check_hostname(crt, "mx1.example.org"));
	ck_assert(tls_cert_names(crt, "mx1.example.org"));
	ck_assert(tls_cert_names(crt, "MX1.Example.org"));
	ck_assert(!tls_cert_names(crt, "mx1.example.or"));
	ck_assert(!tls_cert_names(crt, "x1.example.org"));
	ck_assert(!tls_cert_names(crt, ""));
	ck_assert_int_eq(gnutls_x509_crt_check_issuer(crt, crt), 1);
	ck_assert_int_eq(gnutls_x509_crt_verify(crt, &crt, 1,
	    GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT |
	    GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status), 0);
	ck_assert_int_eq(gnutls_x509_crt_get_serial(crt, serial, &n), 0);
	ck_assert_int_eq(gnutls_x509_crt_get_serial(crt2, serial2, &n2), 0);
	ck_assert_uint_eq(n, 16);
	ck_assert(memcmp(serial, serial2, n) != 0);
	ck_assert_uint_lt(serial[0], 0x80);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crt_deinit(crt2);
	gnutls_free(der.data);
	gnutls_free(der2.data);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls/cert");
	TCase *tc = tcase_create("cert");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, known_certificates, 0, NELEM(knowns));
	tcase_add_test(tc, not_certificates);
	tcase_add_test(tc, spki_of_damaged);
	tcase_add_loop_test(tc, spki_of_rubbish, 0, NELEM(spki_bad));
	tcase_add_loop_test(tc, self_signed_fields, 0, NELEM(owns));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
