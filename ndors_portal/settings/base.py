"""Production settings. Whatever production needs has no default: a missing value stops the start by name."""

from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from ndors_portal.settings import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DEBUG = False

SECRET_KEY = env.required("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.listed(env.optional("SECRET_KEY_FALLBACKS"))
ALLOWED_HOSTS = env.listed(env.required("ALLOWED_HOSTS"))
SITE_URL = env.required("SITE_URL").rstrip("/")
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- Domain secrets --------------------------------------------------------------------------------------------
FIELD_ENCRYPTION_KEYS = env.listed(env.required("FIELD_ENCRYPTION_KEYS"))
LOOKUP_PEPPER = env.required("LOOKUP_PEPPER")
STRIPE_SECRET_KEY = env.required("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRETS = env.listed(env.required("STRIPE_WEBHOOK_SECRETS"))
STRIPE_API_BASE = ""  # Stripe itself; only the dev and test settings point elsewhere.

# --- Apps ------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "ndors_portal.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_linear_migrations",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "common",
    "accounts",
    "audit",
    "notifications",
    "courses",
    "referrals",
    "payments",
    "bookings",
    "rosters",
    "oversight",
]
FIRST_PARTY_APPS = [
    "accounts",
    "audit",
    "notifications",
    "courses",
    "referrals",
    "payments",
    "bookings",
    "rosters",
    "oversight",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "ndors_portal.errors.ErrorPagesMiddleware",
    "ndors_portal.errors.BodySizeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "ndors_portal.doors.SignedDoorsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "audit.middleware.ActingUserMiddleware",
]

# Who signs what they send needs no session, user or form token: these views are called past the middleware for them.
SIGNED_DOORS = {"/payments/stripe/webhook/": "payments.views.stripe_webhook"}

ROOT_URLCONF = "ndors_portal.urls"
WSGI_APPLICATION = "ndors_portal.wsgi.application"
FORM_RENDERER = "common.forms.GovukRenderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "ndors_portal.context.portal",
            ],
        },
    },
]

# --- Data ------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.database(env.required("DATABASE_URL"))}
if env.optional("REPLICA_DATABASE_URL"):
    DATABASES["replica"] = env.database(env.required("REPLICA_DATABASE_URL"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.required("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "common.redis_cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
}
# Sessions are written through to the database, so that Redis emptied or away signs nobody out half-way through paying.
SESSION_ENGINE = "accounts.sessions"
MEDIA_ROOT = Path(env.required("MEDIA_ROOT"))
MEDIA_URL = ""  # Uploaded files are never served by address.
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Police batches (CONTRACT.md, limits) ----------------------------------------------------------------------
BATCH_MAX_BYTES = 50 * 1024 * 1024
UPLOAD_MAX_BYTES = BATCH_MAX_BYTES + 1024 * 1024  # a form is larger than the file in it
BATCH_MAX_ROWS = 200_000
BATCH_MAX_COLUMNS = 64
BATCH_MAX_CELL_CHARACTERS = 4_000
BATCH_DROP_DIR = env.optional("BATCH_DROP_DIR")  # the folder watched for files sent by SFTP; none: nothing is watched
BATCH_DROP_QUIET_SECONDS = 60  # a dropped file that has not changed for so long is whole

# --- Work ------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "Europe/London"
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message is a bell: whoever hears it has taken it, and beat rings again for what was not done. Receipts kept in
    # Redis would add nothing, and a worker that holds some when Redis dies does not survive it (celery 5.7).
    "ack_emulation": False,
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    "max_retries": 1,
}

# --- How people reach us (shown on every page) ------------------------------------------------------------------
HELP_PHONE = env.optional("HELP_PHONE", "03069 990 100")  # Ofcom keeps 03069 990 000 to 999 for fiction
HELP_HOURS = env.optional("HELP_HOURS", "Monday to Friday, 9am to 5pm")
HELP_EMAIL = env.optional("HELP_EMAIL", "driver-courses@example.org")

# --- Time and language -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "ndors_portal.formats"

# --- Static files ----------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.optional("STATIC_ROOT", str(BASE_DIR / ".local" / "static")))
GOVUK_DIST = BASE_DIR / "node_modules" / "govuk-frontend" / "dist" / "govuk"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "ndors_portal.staticfiles.GovukFrontendFinder",
]
# Only hashed names are served; source maps are for developers' tools and need no compressed copies.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS: tuple[str, ...] = (
    "jpg",
    "jpeg",
    "png",
    "gif",
    "webp",
    "ico",
    "woff",
    "woff2",
    "map",
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "ndors_portal.staticfiles.PortalStaticFilesStorage"},
}

# --- Mail ------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
globals().update(env.email(env.required("EMAIL_URL")))
DEFAULT_FROM_EMAIL = env.required("DEFAULT_FROM_EMAIL")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_CHANNEL = env.optional("EMAIL_CHANNEL", "smtp")  # or "notify"

# --- GOV.UK Notify: text messages, and e-mail where EMAIL_CHANNEL says so. No key: no text messages ----------------
NOTIFY_API_KEY = env.optional("NOTIFY_API_KEY")
NOTIFY_API_BASE = env.optional("NOTIFY_API_BASE", "https://api.notifications.service.gov.uk")
NOTIFY_SMS_TEMPLATE_ID = env.optional("NOTIFY_SMS_TEMPLATE_ID")  # a template whose whole text is ((body))
NOTIFY_EMAIL_TEMPLATE_ID = env.optional("NOTIFY_EMAIL_TEMPLATE_ID")  # its subject ((subject)), its text ((body))
NOTIFY_CALLBACK_TOKEN = env.optional("NOTIFY_CALLBACK_TOKEN")  # Notify shows it with each delivery receipt

# --- Who signs in ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAccountAdapter"
MFA_ADAPTER = "accounts.adapter.MfaAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "NDORS portal"
MFA_REQUIRED = True
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, list[dict[str, str]]]] = {"openid_connect": {"APPS": []}}

# --- Security --------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = True
# The proxy in front ends TLS and always sets this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 8 * 3600
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "ndors_portal.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = int(env.optional("TRUSTED_PROXIES", "1"))  # how many proxies of ours append to X-Forwarded-For
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
CONTENT_SECURITY_POLICY: dict[str, dict[str, list[object]]] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, "https://checkout.stripe.com"],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# --- API -------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # How often one token may ask; the demands of a force's system are a few an hour.
    "DEFAULT_THROTTLE_RATES": {"token": env.optional("API_THROTTLE", "600/min")},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "NDORS portal API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    # What is sent and what is answered are described apart: a file goes in as bytes and comes out as an address.
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Logs ------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"stripe": {"level": "WARNING"}},
}

SIMPLE_HISTORY_ENABLED = False  # the database writes history; see docs/adr/0002
DEMO = False
