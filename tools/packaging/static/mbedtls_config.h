/* mbedtls_config.h - what of mbedTLS 3.6 is in the static merossd: everything it serves plugs,
 * other clients and itself with, and nothing else.  Takes the place of the library's own
 * mbedtls/mbedtls_config.h, so that the library and its users see the same.
 *
 * Left out, because nothing here uses it: DTLS, DHE (three times the work of ECDHE), renegotiation,
 * ALPN, CCM, 3DES, ARIA, Camellia, certificate requests, PKCS #7 and #12, the smaller, the
 * Brainpool and the Koblitz curves, Curve448, key files with a pass phrase (merossd has nobody to
 * ask). */
#ifndef MEROSSD_MBEDTLS_CONFIG_H
#define MEROSSD_MBEDTLS_CONFIG_H

/* --- the machine --- */
#define MBEDTLS_HAVE_ASM          /* multiplication of big numbers: RSA takes a third of the time */
#define MBEDTLS_HAVE_TIME         /* age of sessions and tickets */
#define MBEDTLS_HAVE_TIME_DATE    /* certificates expire */
#define MBEDTLS_FS_IO             /* capath is a folder */
#define MBEDTLS_THREADING_C       /* handshakes run in the thread pool; TLS 1.3 needs PSA's locks */
#define MBEDTLS_THREADING_PTHREAD
#define MBEDTLS_PLATFORM_C        /* the library's own layer over libc; adds nothing by itself */
#define MBEDTLS_ERROR_C           /* what is wrong with a certificate file, in words */
#define MBEDTLS_AESNI_C           /* x86_64: AES and GCM by the processor, when it can */
#define MBEDTLS_AESCE_C           /* the same for arm64 */

/* Debian 13's headers have it, too: what it says would be an error of the build there. */
#define MBEDTLS_DEPRECATED_WARNING

/* --- TLS: versions and what goes with them --- */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_SRV_C         /* plugs and other clients */
#define MBEDTLS_SSL_CLI_C         /* bridges, `merossd -h HOST`, the doctor's look at a listener */
#define MBEDTLS_SSL_PROTO_TLS1_2  /* all plugs */
#define MBEDTLS_SSL_PROTO_TLS1_3  /* everybody else */
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE /* RFC 8446 D.4: firewalls that want to see 1.2 */
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL_ENABLED /* resumption */
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET /* RFC 7627 */
#define MBEDTLS_SSL_ENCRYPT_THEN_MAC       /* RFC 7366, for the CBC suites */
#define MBEDTLS_SSL_SESSION_TICKETS        /* a power cut: thirty plugs come back at once */
#define MBEDTLS_SSL_TICKET_C
#define MBEDTLS_SSL_CACHE_C                /* the same for clients without tickets */
#define MBEDTLS_SSL_SERVER_NAME_INDICATION /* bridges to brokers that have many names */
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH    /* small clients ask for it */
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE  /* use_identity_as_username; TLS 1.3 wants it */
#define MBEDTLS_SSL_ALL_ALERT_MESSAGES     /* a refused client learns why */

/* A client may send records of 16 KB unless it has agreed to less, so the buffer for input is that
 * large; its pages cost nothing before they are touched.  Ours are never longer than 4 KB.
 * VARIABLE_BUFFER_LENGTH must stay off: it shrinks the input to the smaller of the two, and cuts
 * clients off. */
#define MBEDTLS_SSL_IN_CONTENT_LEN  16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096

/* --- key exchanges, as broker/tls/tls_suites.c lists them --- */
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_RSA_ENABLED       /* old plugs may know no other */
#define MBEDTLS_KEY_EXCHANGE_PSK_ENABLED       /* psk_file */
#define MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED /* psk_file */

/* --- ciphers --- */
#define MBEDTLS_CIPHER_C
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES      /* read-only and shared, instead of private memory at start */
#define MBEDTLS_AES_FEWER_TABLES    /* 2 KB of tables instead of 8 KB; small caches like that */
#define MBEDTLS_GCM_C
#define MBEDTLS_CIPHER_MODE_CBC
#define MBEDTLS_CHACHA20_C          /* faster than AES where no processor helps */
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C

/* --- digests --- */
#define MBEDTLS_MD_C
#define MBEDTLS_MD5_C               /* the vendor's signature of every message */
#define MBEDTLS_SHA1_C              /* CBC suites, WebSocket handshake, identifiers of keys */
#define MBEDTLS_SHA224_C            /* the library has SHA-256 only together with it */
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C            /* password_file */
#define MBEDTLS_SHA256_SMALLER      /* half the code; a handshake spends its time elsewhere */
#define MBEDTLS_SHA512_SMALLER
#define MBEDTLS_HKDF_C              /* TLS 1.3 */
#define MBEDTLS_PKCS5_C             /* PBKDF2, for password_file */

/* --- public keys --- */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21           /* RSA-PSS, the RSA signature of TLS 1.3 */
#define MBEDTLS_GENPRIME            /* the first start makes its keys */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED  /* plugs; our second certificate; pairing */
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED  /* certificates of other CAs */
#define MBEDTLS_ECP_DP_SECP521R1_ENABLED
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED /* browsers, OpenSSL */

/* --- randomness --- */
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_CTR_DRBG_C

/* --- certificates and keys --- */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_OID_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_PEM_WRITE_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_PARSE_EC_COMPRESSED
#define MBEDTLS_PK_WRITE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CRL_PARSE_C    /* crlfile */
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT
#define MBEDTLS_X509_CREATE_C       /* our own certificates */
#define MBEDTLS_X509_CRT_WRITE_C

/* --- PSA, which TLS 1.3 is written against: only what that uses of it ---
 * ECDH for the key exchange, HKDF and its HMAC and digests for the keys.  Records, signatures and
 * certificates go through the interfaces above. */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_KEY_STORE_DYNAMIC

#endif
