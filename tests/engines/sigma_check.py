"""sigma check, without network: sigma_check.py RULES [NAME_OF_A_VALIDATOR_TO_LEAVE_OUT ...]

Runs every validator of pySigma and of SigmaHQ. Twelve of them download their data at run time (ATT&CK, D3FEND, the
SigmaHQ taxonomy). STIXC_SIGMA_DATA names a folder that holds it; without that folder the twelve are left out.
Exit code 0 when there are rules and no finding, 1 with findings (on standard output), 2 when it could not check.
"""

import importlib
import os
import pathlib
import sys
import tempfile

NEED_DATA = [
    "attacktag",
    "d3_fendtag",
    "sigmahq_tags_techniques_without_tactics",
    "sigmahq_invalid_fieldname",
    "sigmahq_unknown_field",
    "sigmahq_fieldname_cast",
    "sigmahq_redundant_field",
    "sigmahq_category_event_id",
    "sigmahq_category_windows_provider_name",
    "sigmahq_filename_convention",
    "sigmahq_filename_prefix",
    "sigmahq_logsource_unknown",
]

DATA = {
    "sigma.data.mitre_attack": "attack-mini.json",
    "sigma.data.mitre_d3fend": "d3fend-mini.json",
    "sigma.validators.sigmahq.data.data_filename": "sigmahq_filename.json",
    "sigma.validators.sigmahq.data.data_taxonomy": "sigmahq_taxonomy.json",
    "sigma.validators.sigmahq.data.data_windows_eventid": "sigmahq_windows_eventid.json",
    "sigma.validators.sigmahq.data.data_windows_provider": "sigmahq_windows_provider.json",
}


def fail(reason):
    print(reason, file=sys.stderr)
    sys.exit(2)


def use_data(folder, cache):
    for module, file in DATA.items():
        source = importlib.import_module(module)
        source.set_cache_dir(os.path.join(cache, module))
        source.set_url(os.path.join(folder, file))


def main():
    rules, leave_out = pathlib.Path(sys.argv[1]), sys.argv[2:]
    if not (rules.is_file() or any(rules.rglob("*.yml"))):
        fail(f"no rule in {rules}")

    from sigma.plugins import InstalledSigmaPlugins

    known = {name.lower() for name in InstalledSigmaPlugins.autodiscover().validators}
    unknown = {name for name in leave_out + NEED_DATA if name not in known}
    if unknown:
        fail(f"no such validator: {', '.join(sorted(unknown))}")

    with tempfile.TemporaryDirectory() as cache:
        if folder := os.environ.get("STIXC_SIGMA_DATA"):
            use_data(folder, cache)
        else:
            leave_out = leave_out + NEED_DATA
        from sigma.cli.main import main as sigma

        arguments = ["check", "--fail-on-error", "--fail-on-issues"]
        for name in leave_out:
            arguments += ["--exclude", name]
        sys.argv = ["sigma", *arguments, str(rules)]
        sigma()


main()
