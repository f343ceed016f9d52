//! The project is tidy, and tidy sees what is not.

use std::path::Path;

use xtask::tidy::{self, CHECKS, Finding, Tree};

/// What a check says about a tree, one finding per line.
fn report(check: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    let tree = Tree::from_files(files.iter().copied());
    check(&tree).iter().map(ToString::to_string).collect()
}

fn clean(check: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) {
    assert_eq!(report(check, files), Vec::<String>::new());
}

mod project {
    use super::*;

    #[test]
    fn keeps_every_rule() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let tree = Tree::load(&root).expect("the project can be read");
        assert!(!tree.sources.is_empty() && !tree.manifests.is_empty());
        let findings: Vec<_> = CHECKS.iter().flat_map(|check| (check.run)(&tree)).collect();
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }
}

mod arrows {
    use super::*;
    use tidy::arrows::check;

    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn an_arrow_the_wrong_way_is_found() {
        let text = manifest("farcall-wire", "[dependencies]\nfarcall-core.workspace = true\n");
        assert_eq!(
            report(check, &[("crates/farcall-wire/Cargo.toml", &text)]),
            [
                "crates/farcall-wire/Cargo.toml:4: expected farcall-wire to depend on no crate of farcall in this table, \
                 found farcall-core"
            ]
        );
    }

    #[test]
    fn a_crate_that_goes_past_the_one_below_is_found() {
        let text = manifest(
            "farcall-cli",
            "[dependencies]\nfarcall = { workspace = true }\nfarcall-core = { path = \"x\" }\n",
        );
        assert_eq!(
            report(check, &[("crates/farcall-cli/Cargo.toml", &text)]),
            [
                "crates/farcall-cli/Cargo.toml:5: expected farcall-cli to depend only on farcall, found farcall-core"
            ]
        );
    }

    #[test]
    fn a_renamed_dependency_is_seen_through() {
        let inline = manifest(
            "farcall-socket",
            "[dependencies]\nrpc = { package = \"farcall\", version = \"1\" }\n",
        );
        let table = manifest("farcall-socket", "[dependencies.rpc]\npackage = \"farcall\"\n");
        for text in [inline, table] {
            let found = report(check, &[("crates/farcall-socket/Cargo.toml", &text)]);
            assert!(found.len() == 1 && found[0].ends_with("found farcall"), "{found:?}");
        }
    }

    #[test]
    fn dependencies_of_one_target_count() {
        let text = manifest(
            "farcall-build",
            "[target.'cfg(unix)'.build-dependencies]\nfarcall-core = \"1\"\n",
        );
        assert_eq!(report(check, &[("crates/farcall-build/Cargo.toml", &text)]).len(), 1);
    }

    #[test]
    fn a_crate_without_arrows_is_found() {
        let text = manifest("farcall-extra", "");
        let found = report(check, &[("crates/farcall-extra/Cargo.toml", &text)]);
        assert!(found.len() == 1 && found[0].ends_with("found \"farcall-extra\""), "{found:?}");
    }

    #[test]
    fn the_arrows_of_the_plan_and_of_tests_pass() {
        let core = manifest(
            "farcall-core",
            "[dependencies]\nfarcall-wire.workspace = true\nbytes = \"1\"\n[dev-dependencies]\nfarcall.workspace = true\n",
        );
        let cli = manifest(
            "farcall-cli",
            "[dependencies]\nfarcall.workspace = true\n[build-dependencies]\nfarcall-build.workspace = true\n",
        );
        clean(
            check,
            &[("crates/farcall-core/Cargo.toml", &core), ("crates/farcall-cli/Cargo.toml", &cli)],
        );
    }
}

mod purity {
    use super::*;
    use tidy::purity::check;

    const WIRE: &str = "crates/farcall-wire/src/http2/engine.rs";

    #[test]
    fn a_runtime_among_the_dependencies_is_found() {
        let text =
            "[package]\nname = \"farcall-core\"\n[dependencies]\ntokio = { workspace = true }\n";
        assert_eq!(
            report(check, &[("crates/farcall-core/Cargo.toml", text)]),
            ["crates/farcall-core/Cargo.toml:4: expected no runtime and no socket, found tokio"]
        );
    }

    #[test]
    fn a_socket_behind_another_crate_is_found() {
        let mut tree = Tree::default();
        tree.dependencies
            .push(("farcall-wire".to_owned(), vec!["bytes".to_owned(), "mio".to_owned()]));
        let found = check(&tree);
        assert!(found.len() == 1 && found[0].found.starts_with("mio"), "{found:?}");
    }

    #[test]
    fn a_clock_is_found_wherever_it_is_read() {
        for code in [
            "let now = Instant::now();",
            "let now = std::time::SystemTime::now();",
            "if start.elapsed() > limit {}",
            "use std::net::TcpStream;",
            "std::thread::sleep(pause);",
            "tokio::spawn(task);",
        ] {
            assert_eq!(report(check, &[(WIRE, code)]).len(), 1, "{code}");
        }
    }

    #[test]
    fn time_as_an_argument_and_words_in_comments_and_strings_pass() {
        let text = "//! Never calls Instant::now().\nuse std::time::Instant;\nfn poll(now: Instant) { log(\"tokio\") }\n";
        clean(check, &[(WIRE, text)]);
        clean(check, &[("crates/farcall-socket/src/tcp.rs", "let now = Instant::now();")]);
    }
}

mod unsafety {
    use super::*;
    use tidy::unsafety::{Census, check};

    const HOME: &str = "crates/farcall-socket/src/sys/page.rs";

    #[test]
    fn unsafe_outside_its_folder_is_found() {
        let text = "// SAFETY: a good reason is no excuse here.\nlet byte = unsafe { *pointer };\n";
        assert_eq!(
            report(check, &[("crates/farcall-wire/src/hpack.rs", text)]),
            [
                "crates/farcall-wire/src/hpack.rs:2: expected unsafe code only in crates/farcall-socket/src/sys, \
                 found let byte = unsafe { *pointer };"
            ]
        );
        assert_eq!(
            report(check, &[("crates/farcall-socket/src/system.rs", "unsafe { call() }")]).len(),
            1
        );
    }

    #[test]
    fn lifting_the_lint_elsewhere_is_found() {
        let text = "#![allow(unsafe_code)]\n";
        assert_eq!(report(check, &[("crates/farcall/src/lib.rs", text)]).len(), 1);
    }

    #[test]
    fn a_block_without_a_reason_is_found() {
        let text = "fn read() -> u8 {\n    // SAFETY: of the block below only.\n    let a = unsafe { one() };\n    unsafe { two() }\n}\n";
        let found = report(check, &[(HOME, text)]);
        assert!(found.len() == 1 && found[0].contains("page.rs:4:"), "{found:?}");
    }

    #[test]
    fn a_reason_above_the_statement_or_beside_the_block_passes() {
        let text = "// SAFETY: nobody else holds it.\n#[cfg(unix)]\nlet a =\n    unsafe { one() };\nlet b = unsafe { two() }; // SAFETY: as above.\n\
                    // SAFETY: the pointer is never shared.\nunsafe impl Send for Page {}\nunsafe fn raw() {}\n";
        clean(check, &[(HOME, text)]);
    }

    #[test]
    fn blocks_are_counted() {
        let text = "// SAFETY: one.\nunsafe { one() }\n// SAFETY: two.\nunsafe impl Send for Page {}\nunsafe fn raw() {}\n";
        let census = Census::of(&Tree::from_files([(HOME, text)]));
        assert_eq!(census, Census { claims: 2, files: 1 });
        assert_eq!(census.to_string(), "unsafe: 2 blocks in 1 files");
    }
}

mod driver {
    use super::*;
    use tidy::driver::check;

    const BOTH: &str = "use farcall_socket::{Connection, Listener};\nuse farcall_wire::http2;\nstruct Room { engine: http2::Engine }\n";

    #[test]
    fn a_second_place_that_sees_both_is_found() {
        assert_eq!(
            report(check, &[("crates/farcall/src/server/accept.rs", BOTH)]),
            [
                "crates/farcall/src/server/accept.rs: expected a file that knows connections or engines, \
                 found farcall_socket's Connection and an Engine of farcall_wire"
            ]
        );
    }

    #[test]
    fn the_driver_and_those_who_see_one_of_them_pass() {
        let one =
            "use farcall_socket::Connection;\n// Handed to the Engine of farcall_wire elsewhere.\n";
        clean(
            check,
            &[("crates/farcall/src/driver.rs", BOTH), ("crates/farcall/src/driver/write.rs", BOTH)],
        );
        clean(check, &[("crates/farcall/src/server/accept.rs", one)]);
    }
}

mod size {
    use super::*;
    use tidy::size::check;

    const FILE: &str = "crates/farcall-core/src/status.rs";

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "const A: u8 = 0;\n".repeat(701);
        assert_eq!(
            report(check, &[(FILE, &text)]),
            ["crates/farcall-core/src/status.rs: expected at most 700 lines, found 701"]
        );
        clean(check, &[(FILE, &"const A: u8 = 0;\n".repeat(700))]);
    }

    #[test]
    fn a_long_function_is_found() {
        assert_eq!(
            report(check, &[(FILE, &function(81))]),
            [
                "crates/farcall-core/src/status.rs:1: expected a function of at most 80 lines, found 81 in `fn long() {`"
            ]
        );
        clean(check, &[(FILE, &function(80))]);
    }

    #[test]
    fn braces_in_strings_comments_and_characters_do_not_count() {
        let text = format!(
            "fn short() {{\n    let _ = (\"{{\", '{{', r#\"{{\"#); // {{\n}}\n{}",
            "const A: u8 = 0;\n".repeat(100)
        );
        clean(check, &[(FILE, &text)]);
    }

    #[test]
    fn a_function_without_a_body_has_no_length() {
        let text = format!(
            "trait T {{\n    fn first(&self, a: [u8; 2]);\n    fn second(\n        &self,\n    ) -> u8;\n}}\ntype F = fn(u8) -> u8;\n\
             const LIST: &[fn()] = &[\n{}];\n",
            "    step,\n".repeat(100)
        );
        clean(check, &[(FILE, &text)]);
    }

    #[test]
    fn tests_may_be_long() {
        clean(check, &[("crates/farcall-core/tests/status.rs", &function(300))]);
    }
}

mod leftovers {
    use super::*;
    use tidy::leftovers::check;

    #[test]
    fn what_was_put_off_is_found() {
        for text in [
            concat!("fn later() { to", "do!() }"),
            concat!("fn later() { unim", "plemented!(\"later\") }"),
            concat!("// TO", "DO: later"),
            concat!("/* FIX", "ME */"),
            concat!("/// XX", "X"),
        ] {
            assert_eq!(report(check, &[("crates/farcall/src/call.rs", text)]).len(), 1, "{text}");
        }
    }

    #[test]
    fn words_that_only_look_alike_pass() {
        clean(check, &[("crates/farcall/src/call.rs", concat!("// XX", "XX bytes, TO", "DOS"))]);
    }
}

mod names {
    use super::*;
    use tidy::names::check;

    #[test]
    fn an_empty_name_is_found() {
        for path in [
            "crates/farcall/src/utils.rs",
            "crates/farcall/src/common/mod.rs",
            "crates/farcall-core/src/misc.rs",
        ] {
            assert_eq!(report(check, &[(path, "")]).len(), 1, "{path}");
        }
        clean(check, &[("crates/farcall/src/commons.rs", "")]);
    }
}

mod lints {
    use super::*;
    use tidy::lints::check;

    #[test]
    fn a_crate_with_lints_of_its_own_is_found() {
        let without = "[package]\nname = \"farcall\"\n[lints.rust]\nmissing_docs = \"allow\"\n";
        let with = "[package]\nname = \"farcall\"\n[lints]\nworkspace = true\n";
        assert_eq!(
            report(check, &[("crates/farcall/Cargo.toml", without)]),
            [
                "crates/farcall/Cargo.toml: expected [lints] with workspace = true, found lints of its own, or none"
            ]
        );
        clean(check, &[("crates/farcall/Cargo.toml", with), ("benches/probe/Cargo.toml", without)]);
    }
}
