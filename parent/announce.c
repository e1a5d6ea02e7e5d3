/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/announce.c - what a person wants to see when Sealane is up: where it
 * listens, and what to publish about its certificates.  On stdout; the log
 * goes to stderr. */
#include "parent/parent_priv.h"

#include <stdio.h>

#include "dane/record.h"
#include "tls/fingerprint.h"

#define SMTP_PORT	25	/* where others look a TLSA record up */

static void
announce_listener(const struct conf_listen *l)
{
	static const char *const tls[] = {
		[LISTEN_STARTTLS] = "STARTTLS offered",
		[LISTEN_NONE] = "clear text only",
		[LISTEN_REQUIRED] = "STARTTLS required",
		[LISTEN_IMPLICIT] = "TLS from the start",
	};
	char text[ADDR_TEXT_SIZE];

	printf("listening   %s (\"%s\", %s)\n", addr_text(&l->address, text),
	    l->label, tls[l->tls]);
}

static void
announce_cert(const struct conf *conf, const struct ipc_own_cert *cert)
{
	struct tls_cert_info info;
	struct ipc_chain_cert leaf;
	struct span chain = cert->chain;
	char tlsa[DANE_RECORD_SIZE];

	if (ipc_get_chain_cert(&chain, &leaf) != 1 ||
	    tls_cert_read(leaf.der, &info, NULL) == -1)
		return;
	printf("certificate ");
	if (cert->label.n > 0)
		printf("\"%.*s\", ", SPAN_FMT(cert->label));
	printf("%s, SHA-256 %s\n", info.type, info.fingerprint);
	if (dane_record_of_key(conf->hostname, SMTP_PORT, cert->spki, tlsa))
		printf("tlsa        %s\n", tlsa);
}

void
announce(const struct conf *conf, struct span certs)
{
	struct ipc_own_cert cert;

	printf("sealane %s on %s\n", SEALANE_VERSION, conf->hostname);
	for (size_t i = 0; i < conf->nlistens; i++)
		announce_listener(&conf->listens[i]);
	while (ipc_get_own_cert(&certs, &cert) == 1)
		announce_cert(conf, &cert);
	fflush(stdout);
}
