//! The Lambdas of auth, by the template's `Handler`.

use auth::api::{
    accept_invitation, add_passkey, authorize_device, begin_passkey, begin_passkey_sign_in,
    change_password, confirm, confirm_totp, create_api_key, create_application, create_tenant,
    delete_application, delete_me, end_session, end_sessions, enrol_totp, export_me,
    forgot_password, get_configuration, get_keys, get_me, get_totp, get_userinfo, give_role,
    introspect, invite, list_api_keys, list_applications, list_audit, list_identities,
    list_invitations, list_members, list_passkeys, list_sessions, list_tenants, login, login_code,
    login_passkey, logout, refresh, register, remove_identity, remove_member, remove_passkey,
    remove_totp, renew_recovery_codes, renew_secret, reset_password, revoke, revoke_api_key,
    revoke_invitation, rotate_api_key, switch_tenant, token,
};
use auth::system::{
    System, audit_log, authorizer, issuer_name, issuers, mails, provider_clients, providers,
};
use auth::{authorize, create_signing_key, pages, relay, rotate_keys, send_mail};
use shared::Result;
use shared::program::{self, Environment};

fn main() -> Result<()> {
    program::run("auth", async |lambda, environment: Environment| {
        let env = &environment;
        let system = || System::load(env);
        match lambda {
            // Addresses and mails
            "register" => env.serve(register::router(&system()?, mails(env)?)).await,
            "confirm" => env.serve(confirm::router(system()?)).await,
            "forgot-password" => env.serve(forgot_password::router(&system()?, mails(env)?)).await,
            "reset-password" => env.serve(reset_password::router(system()?)).await,
            "send-mail" => send_mail::run(env).await,
            "pages" => {
                env.serve_pages(pages::router(&system()?, &mails(env)?), pages::page_of).await
            }
            // Sessions
            "login" => env.serve(login::router(system()?, issuers(env).await?)).await,
            "login-code" => env.serve(login_code::router(system()?, issuers(env).await?)).await,
            "refresh" => env.serve(refresh::router(system()?, issuers(env).await?)).await,
            "logout" => env.serve(logout::router(system()?)).await,
            "list-sessions" => env.serve(list_sessions::router(system()?)).await,
            "end-session" => env.serve(end_session::router(system()?)).await,
            "end-sessions" => env.serve(end_sessions::router(system()?)).await,
            // API keys
            "create-api-key" => env.serve(create_api_key::router(system()?)).await,
            "list-api-keys" => env.serve(list_api_keys::router(system()?)).await,
            "rotate-api-key" => env.serve(rotate_api_key::router(system()?)).await,
            "revoke-api-key" => env.serve(revoke_api_key::router(system()?)).await,
            // Tenants
            "create-tenant" => env.serve(create_tenant::router(system()?)).await,
            "list-tenants" => env.serve(list_tenants::router(system()?)).await,
            "switch-tenant" => env.serve(switch_tenant::router(system()?)).await,
            "list-members" => env.serve(list_members::router(system()?)).await,
            "give-role" => env.serve(give_role::router(system()?)).await,
            "remove-member" => env.serve(remove_member::router(system()?)).await,
            "invite" => env.serve(invite::router(system()?, mails(env)?)).await,
            "list-invitations" => env.serve(list_invitations::router(system()?)).await,
            "revoke-invitation" => env.serve(revoke_invitation::router(system()?)).await,
            "accept-invitation" => env.serve(accept_invitation::router(system()?)).await,
            // The account
            "get-me" => env.serve(get_me::router(system()?)).await,
            "export-me" => env.serve(export_me::router(system()?, audit_log(env)?)).await,
            "delete-me" => env.serve(delete_me::router(system()?)).await,
            "list-identities" => env.serve(list_identities::router(system()?)).await,
            "remove-identity" => env.serve(remove_identity::router(system()?)).await,
            "change-password" => env.serve(change_password::router(system()?)).await,
            // Applications
            "create-application" => env.serve(create_application::router(system()?)).await,
            "list-applications" => env.serve(list_applications::router(system()?)).await,
            "renew-secret" => env.serve(renew_secret::router(system()?)).await,
            "delete-application" => env.serve(delete_application::router(system()?)).await,
            "get-configuration" => env.serve(get_configuration::router(issuer_name()?)).await,
            "get-keys" => env.serve(get_keys::router(authorizer(env).await?)).await,
            "sign-in-pages" => {
                let system = System { providers: providers()?, ..system()? };
                let router = pages::sign_in::router(&system, &issuers(env).await?);
                env.serve_pages(router, pages::page_of).await
            }
            "provider-pages" => {
                let system = System { providers: providers()?, ..system()? };
                let clients = provider_clients(env, &system.providers).await?;
                let (issuers, mails) = (issuers(env).await?, mails(env)?);
                let router = pages::provider::router(&system, &issuers, &clients, &mails);
                env.serve_pages(router, pages::page_of).await
            }
            "token" => env.serve(token::router(system()?, issuers(env).await?)).await,
            "authorize-device" => {
                env.serve(authorize_device::router(system()?, &issuer_name()?)).await
            }
            "revoke" => {
                let (issuers, authorizer) = (issuers(env).await?, authorizer(env).await?);
                env.serve(revoke::router(system()?, issuers, authorizer)).await
            }
            "introspect" => env.serve(introspect::router(system()?, authorizer(env).await?)).await,
            "get-userinfo" => env.serve(get_userinfo::router(system()?)).await,
            // Second factors
            "enrol-totp" => env.serve(enrol_totp::router(system()?, issuers(env).await?)).await,
            "confirm-totp" => env.serve(confirm_totp::router(system()?, issuers(env).await?)).await,
            "get-totp" => env.serve(get_totp::router(system()?)).await,
            "remove-totp" => env.serve(remove_totp::router(system()?, issuers(env).await?)).await,
            "renew-recovery-codes" => {
                env.serve(renew_recovery_codes::router(system()?, issuers(env).await?)).await
            }
            // Passkeys
            "begin-passkey-sign-in" => {
                env.serve(begin_passkey_sign_in::router(system()?, issuers(env).await?)).await
            }
            "login-passkey" => {
                env.serve(login_passkey::router(system()?, issuers(env).await?)).await
            }
            "begin-passkey" => {
                env.serve(begin_passkey::router(system()?, issuers(env).await?)).await
            }
            "add-passkey" => env.serve(add_passkey::router(system()?, issuers(env).await?)).await,
            "list-passkeys" => env.serve(list_passkeys::router(system()?)).await,
            "remove-passkey" => env.serve(remove_passkey::router(system()?)).await,
            // Tokens
            "list-audit" => env.serve(list_audit::router(system()?, audit_log(env)?)).await,
            "relay" => relay::run(env).await,
            "authorize" => authorize::run(env).await,
            "create-signing-key" => create_signing_key::run(env).await,
            "rotate-keys" => rotate_keys::run(env).await,
            _ => Err(program::unknown(lambda)),
        }
    })
}
